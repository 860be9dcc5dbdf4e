/* server/users.c: who may do what: a file of names, roles and hashes of secrets.
 *
 *   # name   role             secret
 *   anna     admin            pbkdf2-sha256:20000:<salt, hex>:<hash, hex>
 *   board    reader           sha256:<hash of a token, hex>
 *
 * Basic authentication sends a name and a password; bearer authentication a token. A password's hash costs milliseconds: who was right once is known
 * by a keyed hash of what he sent. Who guesses waits. */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/server_internal.h"

#define HASH_BYTES 32
#define MINUTE_US INT64_C(60000000)
#define KNOWN_MOST 1024
#define GUESSERS 16384
#define GUESSES_FREE 10             /* of a peer in a minute */
#define GUESSES_ALL 300             /* of all peers together: each costs a password's hash */

typedef struct User {
    const char *name;
    Role role;
    int iterations;                 /* 0: a token */
    unsigned char salt[64], hash[HASH_BYTES];
    size_t salt_length;
} User;

struct Users {
    Arena arena;
    struct { User *items; int count, capacity; } list;
    unsigned char key[HASH_BYTES];  /* of this process */
    struct { unsigned char hash[HASH_BYTES]; int user; bool used; } known[KNOWN_MOST];
    Limiter *guessers, *guesses;    /* wrong guesses: of each peer; of all */
    User nobody;                    /* hashed for where there is no such name: an answer's time tells nothing */
};

/* ---- the file ---- */

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1; }

static bool read_hex(const char *text, size_t length, unsigned char *bytes, size_t most, size_t *count)
{
    if (length % 2 || length / 2 > most)
        return false;
    for (size_t i = 0; i < length; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (unsigned char)(high * 16 + low);
    }
    *count = length / 2;
    return true;
}

static bool read_secret(const char *text, User *user)
{
    size_t hash_length = 0;
    if (strncmp(text, "sha256:", 7) == 0)
        return read_hex(text + 7, strlen(text + 7), user->hash, HASH_BYTES, &hash_length) && hash_length == HASH_BYTES;
    if (strncmp(text, "pbkdf2-sha256:", 14) != 0)
        return false;
    char *end;
    user->iterations = (int)strtol(text + 14, &end, 10);
    if (user->iterations < 1000 || user->iterations > 10000000 || *end != ':')
        return false;
    const char *salt = end + 1, *hash = strchr(salt, ':');
    return hash && read_hex(salt, (size_t)(hash - salt), user->salt, sizeof user->salt, &user->salt_length) && user->salt_length >= 8 &&
           read_hex(hash + 1, strlen(hash + 1), user->hash, HASH_BYTES, &hash_length) && hash_length == HASH_BYTES;
}

static Error *read_line(Users *users, char *line, const char *path, int number)
{
    char *rest = line, *name = strtok_r(rest, " \t\r\n", &rest), *role = strtok_r(NULL, " \t\r\n", &rest), *secret = strtok_r(NULL, " \t\r\n", &rest);
    User user = { .role = ROLE_NONE };
    if (!name || name[0] == '#')
        return NULL;
    if (role && strcmp(role, "admin") == 0)
        user.role = ROLE_ADMIN;
    else if (role && strcmp(role, "reader") == 0)
        user.role = ROLE_READER;
    if (user.role == ROLE_NONE || !secret || strtok_r(NULL, " \t\r\n", &rest) || !read_secret(secret, &user))
        return error_hint(error_new(ERR_USAGE, "%s:%d: expected a name, admin or reader, and a secret's hash", path, number), "bidsql server --hash-password makes such a line");
    user.name = arena_strdup(&users->arena, name);
    LIST_ADD(&users->arena, &users->list, user);
    return NULL;
}

static Error *read_file(Users *users, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_new(ERR_CONNECT, "cannot open '%s': %s", path, strerror(errno));
    char line[1024];
    Error *error = NULL;
    for (int number = 1; !error && fgets(line, sizeof line, file); number++)
        error = read_line(users, line, path, number);
    fclose(file);
    for (int i = 0; i < users->list.count; i++) /* as dear as the dearest */
        if (users->list.items[i].iterations > users->nobody.iterations)
            users->nobody = users->list.items[i];
    if (!error && users->list.count == 0)
        error = error_new(ERR_USAGE, "'%s' names nobody", path);
    return error;
}

Error *users_load(const char *path, Users **result)
{
    Users *users = mem_calloc(1, sizeof *users);
    arena_init(&users->arena, NULL);
    users->guessers = limiter_new((RateLimit){ GUESSES_FREE, MINUTE_US }, GUESSERS);
    users->guesses = limiter_new((RateLimit){ GUESSES_ALL, MINUTE_US }, 8);
    Error *error = RAND_bytes(users->key, sizeof users->key) == 1 ? NULL : error_new(ERR_IO, "there are no random numbers");
    if (!error)
        error = read_file(users, path);
    if (error)
        users_free(users);
    else
        *result = users;
    return error;
}

void users_free(Users *users)
{
    if (!users)
        return;
    arena_release(&users->arena);
    limiter_free(users->guessers);
    limiter_free(users->guesses);
    OPENSSL_cleanse(users->key, sizeof users->key);
    mem_free(users);
}

/* ---- who is it ---- */

static bool token_fits(const User *user, const char *token)
{
    unsigned char hash[HASH_BYTES];
    EVP_Digest(token, strlen(token), hash, NULL, EVP_sha256(), NULL);
    return !user->iterations && CRYPTO_memcmp(hash, user->hash, HASH_BYTES) == 0;
}

static bool password_fits(const User *user, const char *password)
{
    unsigned char hash[HASH_BYTES];
    return user->iterations && PKCS5_PBKDF2_HMAC(password, (int)strlen(password), user->salt, (int)user->salt_length, user->iterations, EVP_sha256(), HASH_BYTES, hash) == 1 &&
           CRYPTO_memcmp(hash, user->hash, HASH_BYTES) == 0;
}

static int find_basic(const Users *users, const char *encoded)
{
    unsigned char plain[768];
    size_t length = strlen(encoded);
    if (length > 1000 || length % 4)
        return -1;
    int decoded = EVP_DecodeBlock(plain, (const unsigned char *)encoded, (int)length);
    if (decoded < 0)
        return -1;
    plain[decoded] = 0;
    char *colon = strchr((char *)plain, ':');
    if (!colon)
        return -1;
    *colon = 0;
    int found = -1;
    bool hashed = false;
    for (int i = 0; i < users->list.count && found < 0; i++) {
        const User *user = &users->list.items[i];
        if (strcmp(user->name, (char *)plain) != 0)
            continue;
        hashed |= user->iterations > 0;
        if (password_fits(user, colon + 1) || token_fits(user, colon + 1))
            found = i;
    }
    if (found < 0 && !hashed)
        (void)password_fits(&users->nobody, colon + 1); /* whatever comes of it */
    OPENSSL_cleanse(plain, sizeof plain);
    return found;
}

static int find_bearer(const Users *users, const char *token)
{
    for (int i = 0; i < users->list.count; i++)
        if (token_fits(&users->list.items[i], token))
            return i;
    return -1;
}

Role users_check(Users *users, const char *authorization, const char *peer, const char **name)
{
    unsigned char hash[HASH_BYTES];
    unsigned length = 0;
    if (!authorization || strlen(authorization) > 2000)
        return ROLE_NONE;
    HMAC(EVP_sha256(), users->key, sizeof users->key, (const unsigned char *)authorization, strlen(authorization), hash, &length);
    unsigned slot = (hash[0] | (unsigned)hash[1] << 8) % KNOWN_MOST;
    int found = -1;
    if (users->known[slot].used && CRYPTO_memcmp(users->known[slot].hash, hash, HASH_BYTES) == 0)
        found = users->known[slot].user;
    if (found < 0) {
        int64_t now_us = clock_system()->now_us(clock_system()), wait_us;
        if (!limiter_has_address(users->guessers, peer, now_us) || !limiter_has(users->guesses, "", 0, now_us))
            return ROLE_NONE; /* who guesses waits, also for what is right */
        if (strncasecmp(authorization, "Basic ", 6) == 0)
            found = find_basic(users, authorization + 6);
        else if (strncasecmp(authorization, "Bearer ", 7) == 0)
            found = find_bearer(users, authorization + 7);
        if (found < 0) {
            limiter_take_address(users->guessers, peer, now_us, &wait_us);
            limiter_take(users->guesses, "", 0, now_us, &wait_us);
        }
    }
    if (found < 0)
        return ROLE_NONE;
    memcpy(users->known[slot].hash, hash, HASH_BYTES);
    users->known[slot].user = found;
    users->known[slot].used = true;
    *name = users->list.items[found].name;
    return users->list.items[found].role;
}
