/* tests/fuzz/fuzz.h: what the fuzz targets share.
 *
 * A target is LLVMFuzzerTestOneInput plus a mutator that knows what its text is made of. libFuzzer drives it, or driver.c where there is
 * no clang; both use the same mutators and the same corpus. */
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's or driver.c's */

typedef struct FuzzRandom {
    uint64_t state;
} FuzzRandom;
uint32_t fuzz_random(FuzzRandom *random, uint32_t below); /* 0 <= .. < below; 0 where below is 0 */

/* Text after `header` bytes of choices: records of one line each, made of tokens: words, numbers, quoted strings, brackets with all that is
 * between them, single characters. Edits keep most of it well-formed: lines are repeated with a token exchanged, dropped or moved.
 * `words` are tokens worth trying. */
typedef struct FuzzText {
    size_t header;
    const char *const *words;
    int word_count;
} FuzzText;
size_t fuzz_mutate_text(const FuzzText *text, uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* Says what is wrong and aborts, so that the input is kept. */
void fuzz_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
