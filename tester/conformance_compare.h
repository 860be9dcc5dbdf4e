/* tester/conformance_compare.h: is this what was expected? ksqlDB's rules for comparing. Private to the room. */
#pragma once
#include "tester/json_tree.h"

/* Structs and maps have the same members (an expected name may be the lower-case form of a name in upper case), arrays the same
 * elements, text the same characters. Numbers are equal if they have the same value and scale (5, 5.0 and 5.00 differ); if `close`, when
 * their values differ by no more than a millionth. A text is also equal to the number that it writes. */
bool conformance_same(const JsonTree *expected, const JsonTree *actual, bool close);
