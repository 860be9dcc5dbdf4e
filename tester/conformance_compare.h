/* tester/conformance_compare.h: is this what was expected? ksqlDB's rules for comparing. Private to the room. */
#pragma once
#include "tester/json_tree.h"

/* Structs and maps have as many members, and of the same names (an expected name may be the lower-case form of a name in upper case; null may be
 * expected of a member that is not there); arrays the same elements, text the same characters. Numbers are compared by value: integers
 * exactly, others if they agree in 15 digits, or, if `close`, within a millionth. A text is also equal to the number that it writes. */
bool conformance_same(const JsonTree *expected, const JsonTree *actual, bool close);
