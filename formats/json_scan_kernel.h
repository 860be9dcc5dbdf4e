/* formats/json_scan_kernel.h: the loop over records that follow a template. Compiled by json_scan.c once for each instruction set:
 * KERNEL(name) names the functions, KERNEL_TARGET is their attribute, KERNEL_AVX2 says what may be used. */

#if KERNEL_AVX2
#define KERNEL_BLOCK 32
/* Bits of the bytes that a string cannot just step over: quote, backslash, control characters, not ASCII. */
KERNEL_TARGET static inline uint32_t KERNEL(special)(const char *p)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)p);
    __m256i hit = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')), _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\')));
    hit = _mm256_or_si256(hit, _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes));
    return (uint32_t)_mm256_movemask_epi8(hit);
}
KERNEL_TARGET static inline bool KERNEL(same_head)(const Step *step, const char *p)
{
    __m256i differing = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)step->head));
    return _mm256_testz_si256(differing, _mm256_loadu_si256((const __m256i *)step->head_mask));
}
KERNEL_TARGET static inline bool KERNEL(same_block)(const char *a, const char *b)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)a), _mm256_loadu_si256((const __m256i *)b))) == 0xFFFFFFFFu;
}
#else
#define KERNEL_BLOCK 16
KERNEL_TARGET static inline uint32_t KERNEL(special)(const char *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(hit, _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20))));
}
KERNEL_TARGET static inline bool KERNEL(same_block)(const char *a, const char *b)
{
    __m128i low = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)a), _mm_loadu_si128((const __m128i *)b));
    __m128i high = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(a + 16)), _mm_loadu_si128((const __m128i *)(b + 16)));
    return _mm_movemask_epi8(_mm_and_si128(low, high)) == 0xFFFF;
}
KERNEL_TARGET static inline bool KERNEL(same_head)(const Step *step, const char *p)
{
    __m128i low = _mm_xor_si128(_mm_loadu_si128((const __m128i *)p), _mm_loadu_si128((const __m128i *)step->head));
    __m128i high = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(p + 16)), _mm_loadu_si128((const __m128i *)(step->head + 16)));
    low = _mm_and_si128(low, _mm_loadu_si128((const __m128i *)step->head_mask));
    high = _mm_and_si128(high, _mm_loadu_si128((const __m128i *)(step->head_mask + 16)));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_or_si128(low, high), _mm_setzero_si128())) == 0xFFFF;
}
#endif

/* The literal before a value; it is readable 32 bytes at a time. */
KERNEL_TARGET static inline bool KERNEL(same_literal)(const Step *step, const char *p)
{
    if (!KERNEL(same_head)(step, p))
        return false;
    if (__builtin_expect(step->length <= 32, 1))
        return true;
    uint32_t at = 32;
    for (; at + 32 <= step->length; at += 32)
        if (!KERNEL(same_block)(p + at, step->text + at))
            return false;
    return at == step->length || KERNEL(same_block)(p + step->length - 32, step->text + step->length - 32);
}

/* The closing quote of the string whose content starts at `p`; NULL: invalid. *escaped is set if there are escapes. */
KERNEL_TARGET static inline const char *KERNEL(string_end)(const JsonScan *scan, const char *p, bool *escaped)
{
    const char *start = p;
    for (;; p += KERNEL_BLOCK) {
        uint32_t mask = KERNEL(special)(p);
        if (mask) {
            p += __builtin_ctz(mask);
            if (__builtin_expect(*p == '"', 1))
                return p;
            break;
        }
    }
    /* escapes: step over them; anything else is for the careful function */
    while (*p == '\\') {
        *escaped = true;
        p = simple_escape[(unsigned char)p[1]] ? p + 2 : json_escape_end(p, scan->end);
        if (!p)
            return NULL;
        for (uint32_t mask; (mask = KERNEL(special)(p)) == 0; p += KERNEL_BLOCK)
            ;
        p += __builtin_ctz(KERNEL(special)(p));
    }
    return *p == '"' ? p : (unsigned char)*p >= 0x80 ? string_end_utf8(scan, start, escaped) : NULL;
}

/* One record; the byte after its newline, or NULL: it does not follow the template. */
KERNEL_TARGET static inline const char *KERNEL(record)(JsonScan *scan, const Template *template, const char *p, uint32_t row, bool *nulls)
{
    const char *start = p;
    bool after_null = false; /* a null stood where a string was expected: the next literal lacks its closing quote */
    for (const Step *step = template->steps;; step++) {
        if (__builtin_expect(!after_null && KERNEL(same_literal)(step, p), 1)) {
            p += step->length;
        } else {
            bool is_null = false;
            p = match_unusual(step, after_null, p, &is_null);
            if (!p)
                return NULL;
            after_null = is_null;
            if (is_null) {
                *nulls = true;
                if (!store_null(scan, step, row))
                    return NULL;
                continue;
            }
        }
        switch (step->action) {
        case STEP_SKIP_STRING: {
            bool escaped;
            p = KERNEL(string_end)(scan, p, &escaped);
            if (!p)
                return NULL;
            break;
        }
        case STEP_SKIP_NUMBER: {
            unsigned count = digit_count8(load_u64(p));
            char next = p[count];
            if (__builtin_expect(count - 1 < 7 && (*p != '0' || count == 1) && next != '.' && (next | 0x20) != 'e', 1)) {
                p += count;
                break;
            }
            p = skip_unusual(scan, step, p, row, nulls);
            if (!p)
                return NULL;
            break;
        }
        case STEP_INTEGER: {
            int64_t value;
            const char *after = scan_integer(p, &value);
            if (__builtin_expect(!after || value < step->minimum || value > step->maximum || *after == '.' || (*after | 0x20) == 'e', 0)) {
                p = skip_unusual(scan, step, p, row, nulls);
                if (!p)
                    return NULL;
                break;
            }
            ((int64_t *)scan->values[step->column])[row] = value;
            p = after;
            break;
        }
        case STEP_TEXT: {
            bool escaped = false;
            const char *quote = KERNEL(string_end)(scan, p, &escaped);
            if (!quote)
                return NULL;
            if (__builtin_expect(!escaped, 1))
                scan_str(&((Str *)scan->values[step->column])[row], p, (size_t)(quote - p));
            else
                store_escaped(scan, step, p, quote, row);
            p = quote;
            break;
        }
        case STEP_TIMESTAMP: {
            int64_t value;
            unsigned used = scan_timestamp(&scan->minutes[step->column], p, &value);
            if (__builtin_expect(used && (p[used] == '"' || (p[used] == 'Z' && p[used + 1] == '"')), 1)) {
                ((int64_t *)scan->values[step->column])[row] = value;
                p += used + (p[used] == 'Z');
                break;
            }
            p = skip_unusual(scan, step, p - 1, row, nulls);
            if (!p)
                return NULL;
            p--; /* the closing quote belongs to the next literal */
            break;
        }
        case STEP_DOUBLE: {
            int64_t digits;
            unsigned fraction;
            const char *after = scan_decimal(p, &digits, &fraction);
            if (__builtin_expect(after && digits <= (1ll << 53) && digits >= -(1ll << 53) && (digits != 0 || *p != '-'), 1)) {
                static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8 };
                ((double *)scan->values[step->column])[row] = (double)digits / powers[fraction];
                p = after;
                break;
            }
            p = skip_unusual(scan, step, p, row, nulls);
            if (!p)
                return NULL;
            break;
        }
        case STEP_DECIMAL: {
            int64_t digits;
            unsigned fraction;
            const char *after = scan_decimal(p, &digits, &fraction);
            if (__builtin_expect(after && fraction <= step->scale && step->scale - fraction <= 8, 1)) {
                static const int64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };
                if (!__builtin_mul_overflow(digits, powers[step->scale - fraction], &digits) && digits <= step->maximum && digits >= -step->maximum) {
                    ((int64_t *)scan->values[step->column])[row] = digits;
                    p = after;
                    break;
                }
            }
            p = skip_unusual(scan, step, p, row, nulls);
            if (!p)
                return NULL;
            break;
        }
        case STEP_EPOCH: {
            int64_t value;
            const char *after = scan_integer(p, &value);
            if (__builtin_expect(after && *after != '.' && (*after | 0x20) != 'e' && !__builtin_mul_overflow(value, US_PER_MS, &value), 1)) {
                ((int64_t *)scan->values[step->column])[row] = value;
                p = after;
                break;
            }
            p = skip_unusual(scan, step, p, row, nulls);
            if (!p)
                return NULL;
            break;
        }
        case STEP_BOOLEAN: case STEP_SKIP_BOOLEAN: case STEP_SKIP_VALUE: case STEP_OTHER:
            p = skip_unusual(scan, step, p, row, nulls);
            if (!p)
                return NULL;
            break;
        case STEP_END:
            if (__builtin_expect(template->missing_count, 0)) {
                *nulls = true;
                for (int i = 0; i < template->missing_count; i++)
                    store_null_column(scan, template->missing[i], row);
            }
            return p - start <= JSON_RECORD_LIMIT ? p : NULL;
        }
    }
}

KERNEL_TARGET static const char *KERNEL(records)(JsonScan *scan, const char *p, uint32_t *row_out, uint32_t max_rows)
{
    uint32_t row = *row_out;
    while (row < max_rows && p < scan->end) {
        const char *next = NULL;
        int t = 0;
        for (; t < scan->template_count; t++) {
            bool nulls = false;
            next = KERNEL(record)(scan, scan->templates[t], p, row, &nulls);
            if (next)
                break;
            if (nulls)
                row_forget_nulls(scan->vectors, scan->column_count, row);
        }
        if (!next)
            break;
        p = next;
        row++;
        if (t > 0)
            move_forward(scan, t);
        else
            scan->templates[0]->hits++;
    }
    *row_out = row;
    return p;
}

#undef KERNEL_BLOCK
