/* formats/timestamp_pattern.h: stands in common/, as functions use it, too. */
#pragma once
#include "common/timestamp_pattern.h"
