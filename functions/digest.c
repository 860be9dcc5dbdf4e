/* functions/digest.c: digests of texts and bytes, as hexadecimal text. libmd computes them, OpenSSL the one that it does not know, zlib the CRC. */
#include <md5.h>
#include <openssl/evp.h>
#include <sha1.h>
#include <sha2.h>
#include <stddef.h>
#include <zlib.h>
#include "functions/functions_internal.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define HEX_MAX (2 * SHA512_DIGEST_LENGTH)

/* Writes the digest in small hexadecimal digits and a 0 behind them. */
typedef char *Digest(const uint8_t *bytes, size_t length, char *hex);

static char *sha224_data(const uint8_t *bytes, size_t length, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(bytes, length, digest, &size, EVP_sha224(), NULL);
    for (unsigned i = 0; i < size; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * size] = 0;
    return hex;
}

static Str hex_of(const Args *args, Digest *digest, const Str *bytes)
{
    char hex[HEX_MAX + 1];
    digest((const uint8_t *)str_bytes(bytes), bytes->length, hex);
    size_t length = strlen(hex);
    return str_view(arena_strndup(args->evaluation->arena, hex, length), length);
}

static Error *digest_rows(const Args *args, Vector *out, Digest *digest)
{
    for (ARGS_EACH(args, row))
        RESULT(out, Str)[row] = hex_of(args, digest, &ARG(args, 0, Str, row));
    return NULL;
}

static Error *md5(const Args *args, Vector *out) { return digest_rows(args, out, MD5Data); }
static Error *sha1(const Args *args, Vector *out) { return digest_rows(args, out, SHA1Data); }
static Error *sha224(const Args *args, Vector *out) { return digest_rows(args, out, sha224_data); }
static Error *sha256(const Args *args, Vector *out) { return digest_rows(args, out, SHA256Data); }
static Error *sha384(const Args *args, Vector *out) { return digest_rows(args, out, SHA384Data); }
static Error *sha512(const Args *args, Vector *out) { return digest_rows(args, out, SHA512Data); }

static Error *sha2(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        int64_t bits = ARG(args, 1, int64_t, row);
        Digest *digest = bits == 224 ? sha224_data : bits == 256 ? SHA256Data : bits == 384 ? SHA384Data : bits == 512 ? SHA512Data : NULL;
        if (digest)
            RESULT(out, Str)[row] = hex_of(args, digest, &ARG(args, 0, Str, row));
        else
            args_fail(args, out, row, "SHA-2 has 224, 256, 384 or 512 bits, not %lld", (long long)bits);
    }
    return NULL;
}

static Digest *digest_named(const Str *name)
{
    static const struct { const char *name; Digest *digest; } known[] = {
        { "md5", MD5Data }, { "sha", SHA1Data }, { "sha1", SHA1Data }, { "sha2_256", SHA256Data }, { "sha2_512", SHA512Data }
    };
    char text[12];
    if (name->length >= sizeof text)
        return NULL;
    memcpy(text, str_bytes(name), name->length);
    text[name->length] = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (name_equal(known[i].name, text))
            return known[i].digest;
    return NULL;
}

static int nibble(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static Error *hash_bytes(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *name = &ARG(args, 0, Str, row);
        Digest *digest = digest_named(name);
        if (!digest) {
            args_fail(args, out, row, "no digest '%.*s': it is 'MD5', 'SHA1', 'SHA2_256' or 'SHA2_512'", name->length < 40 ? (int)name->length : 40, str_bytes(name));
            continue;
        }
        Str hex = hex_of(args, digest, &ARG(args, 1, Str, row));
        char *bytes = arena_alloc(args->evaluation->arena, hex.length / 2 + 1u);
        for (uint32_t i = 0; i < hex.length / 2; i++)
            bytes[i] = (char)(nibble(str_bytes(&hex)[2 * i]) << 4 | nibble(str_bytes(&hex)[2 * i + 1]));
        RESULT(out, Str)[row] = str_view(bytes, hex.length / 2);
    }
    return NULL;
}

static Error *crc(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        const Str *bytes = &ARG(args, 0, Str, row);
        RESULT(out, int64_t)[row] = (int64_t)crc32(0, (const Bytef *)str_bytes(bytes), bytes->length);
    }
    return NULL;
}

#define V TYPE_VARCHAR
#define B TYPE_BYTES
#define DIGEST(name, kernel, text, sample, digits)                                                                                  \
    { name, { V }, V, kernel, .category = "digest", .doc = text, .example = sample, .yields = digits },                              \
    { name, { B }, V, kernel, .category = "digest", .doc = text " (of bytes)", .example = name "(to_bytes('', 'utf8')) = " name "('')", .yields = "true" }

const ScalarFunction digest_functions[] = {
    DIGEST("md5", md5, "The MD5 digest, 32 hexadecimal digits. It tells texts apart, but not from forgeries.", "md5('bidsql')", "137e21cd0de789a3f9d1991667b4e092"),
    DIGEST("sha1", sha1, "The SHA-1 digest, 40 hexadecimal digits. It tells texts apart, but not from forgeries.", "sha1('bidsql')", "aa8c795fe204be19488235959975dbb0b850e158"),
    DIGEST("sha224", sha224, "The SHA-224 digest, 56 hexadecimal digits.", "sha224('bidsql')", "cd5b85cb6e117f7be4a4ebe6f4dabe63a838ccdb46f6b1c56061d1e8"),
    DIGEST("sha256", sha256, "The SHA-256 digest, 64 hexadecimal digits.", "sha256('bidsql')", "8c29b409bc95da34358a88258ab0a97cbe0ad75fc42cae0464707d0ac360c19e"),
    DIGEST("sha384", sha384, "The SHA-384 digest, 96 hexadecimal digits.", "left(sha384('bidsql'), 16)", "d43fafece146e2ba"),
    DIGEST("sha512", sha512, "The SHA-512 digest, 128 hexadecimal digits.", "left(sha512('bidsql'), 16)", "2e3e0453c40338be"),
    { "sha2", { V, TYPE_BIGINT }, V, sha2, .can_fail = true, .category = "digest", .doc = "The SHA-2 digest of 224, 256, 384 or 512 bits.", .example = "sha2('bidsql', 256) = sha256('bidsql')", .yields = "true" },
    { "sha2", { B, TYPE_BIGINT }, V, sha2, .can_fail = true, .category = "digest", .doc = "The SHA-2 digest of 224, 256, 384 or 512 bits (of bytes).", .example = "sha2(to_bytes('', 'utf8'), 384) = sha384('')", .yields = "true" },
    { "hashbytes", { V, V }, B, hash_bytes, .can_fail = true, .category = "digest", .doc = "The digest of the text as bytes, by its name: 'MD5', 'SHA1', 'SHA2_256', 'SHA2_512' (ASA).", .example = "hex(hashbytes('MD5', 'bidsql'))",
      .yields = "137E21CD0DE789A3F9D1991667B4E092" },
    { "hashbytes", { V, B }, B, hash_bytes, .can_fail = true, .category = "digest", .doc = "The same of bytes.", .example = "length(hashbytes('SHA2_256', to_bytes('', 'utf8')))", .yields = "32" },
    { "crc32", { V }, TYPE_BIGINT, crc, .category = "digest", .doc = "The CRC-32 check sum, as zip and gzip have it.", .example = "crc32('123456789')", .yields = "3421780262" },
    { "crc32", { B }, TYPE_BIGINT, crc, .category = "digest", .doc = "The CRC-32 check sum (of bytes).", .example = "crc32(to_bytes('123456789', 'utf8'))", .yields = "3421780262" },
    { .name = NULL },
};
