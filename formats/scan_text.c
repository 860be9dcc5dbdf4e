/* formats/scan_text.c: the rarer half of scan_text.h. */
#include "formats/scan_text.h"

bool minute_cache_fill(MinuteCache *cache, const char *p)
{
    static const unsigned digit_places = 0xDB6F; /* of YYYY-MM-DD HH:MM */
    __m128i text = _mm_loadu_si128((const __m128i *)p);
    __m128i digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    unsigned are_digits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits));
    if ((are_digits & digit_places) != digit_places || p[4] != '-' || p[7] != '-' || (p[10] != ' ' && p[10] != 'T') || p[13] != ':')
        return false;
    int hour = (p[11] - '0') * 10 + (p[12] - '0'), minute = (p[14] - '0') * 10 + (p[15] - '0');
    if (hour > 23 || minute > 59)
        return false;
    if (memcmp(cache->text, p, 10) != 0) {
        int64_t days;
        if (!date_parse(p, 10, &days))
            return false;
        cache->date_us = days * US_PER_DAY;
    }
    memcpy(cache->text, p, 16);
    cache->minute_us = cache->date_us + hour * US_PER_HOUR + minute * US_PER_MINUTE;
    return true;
}
