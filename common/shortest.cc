/* common/shortest.cc: <charconv> for C: Ryu for writing, fast_float for reading. Neither knows a locale. */
#include "common/shortest.h"

#include <charconv>

int shortest_digits(double magnitude, bool single, char digits[32], int *point)
{
    char text[32]; /* d[.ddd]e[+-]dd */
    const char *end = single ? std::to_chars(text, text + sizeof text, static_cast<float>(magnitude), std::chars_format::scientific).ptr
                             : std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific).ptr;
    if (text[1] == 'e' && magnitude < (single ? 1e-42 : 1e-321)) /* so few bits that a second digit can come nearer to the number */
        end = std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific, 1).ptr;
    int count = 0, exponent = 0;
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at != '.')
            digits[count++] = *at;
    bool minus = *++at == '-';
    for (at++; at < end; at++)
        exponent = exponent * 10 + (*at - '0');
    *point = (minus ? -exponent : exponent) + 1;
    return count;
}

bool nearest_double(const char *bytes, size_t length, double *number)
{
    return std::from_chars(bytes, bytes + length, *number).ec == std::errc();
}
