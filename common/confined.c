/* common/confined.c: every path is resolved first: what is there by the system, the rest, which is not there yet, by its words. */
#include "common/confined.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct Confined {
    FileSystem fs;               /* first */
    FileSystem *inner;
    char **roots;
    int count;
} Confined;

static Confined *confined_of(FileSystem *fs) { return fs->owner; }

static bool below(const char *root, const char *path)
{
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 && (path[length] == 0 || path[length] == '/' || length == 1);
}

static Error *outside(const char *path)
{
    return error_hint(error_new(ERR_CONNECT, "'%s' is outside of the directories that may be used", path), "see --allow-dir");
}

/* The directory that is there, and what follows it. A rest with ".." in it may lead anywhere once it is there. */
static bool resolve(const char *path, char real[PATH_MAX])
{
    char head[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof head)
        return false;
    memcpy(head, path, length + 1);
    for (;;) {
        if (realpath(head, real))
            break;
        if (errno != ENOENT && errno != ENOTDIR)
            return false;
        char *slash = strrchr(head, '/');
        if (slash == head) {
            strcpy(real, "/");
            break;
        }
        if (!slash) {
            if (!realpath(".", real))
                return false;
            head[0] = 0;
            break;
        }
        *slash = 0;
    }
    const char *rest = path + strlen(head);
    for (const char *part = rest; *part;) {
        part += strspn(part, "/");
        size_t size = strcspn(part, "/");
        if ((size == 2 && memcmp(part, "..", 2) == 0) || strlen(real) + size + 2 > PATH_MAX)
            return false;
        part += size;
    }
    return true;
}

static Error *check(FileSystem *fs, const char *path)
{
    const Confined *confined = confined_of(fs);
    char real[PATH_MAX];
    if (!resolve(path, real))
        return outside(path);
    for (int i = 0; i < confined->count; i++)
        if (below(confined->roots[i], real))
            return NULL;
    return outside(path);
}

/* No devices, no pipes: they block, or are more than files. */
static Error *check_regular(FileSystem *fs, const char *path)
{
    FileSystem *inner = confined_of(fs)->inner;
    FileInfo info;
    TRY(check(fs, path));
    TRY(inner->info(inner, path, &info));
    if (info.exists && !info.is_regular)
        return error_new(ERR_CONNECT, "'%s' is no regular file", path);
    return NULL;
}

static Error *open_read(FileSystem *fs, const char *path, int *handle)
{
    FileSystem *inner = confined_of(fs)->inner;
    TRY(check_regular(fs, path));
    return inner->open_read(inner, path, handle);
}

static Error *open_write(FileSystem *fs, const char *path, bool truncate, bool exclusive, int *handle)
{
    FileSystem *inner = confined_of(fs)->inner;
    TRY(check_regular(fs, path));
    return inner->open_write(inner, path, truncate, exclusive, handle);
}

static Error *info(FileSystem *fs, const char *path, FileInfo *about)
{
    FileSystem *inner = confined_of(fs)->inner;
    TRY(check(fs, path));
    return inner->info(inner, path, about);
}

static Error *rename_file(FileSystem *fs, const char *from, const char *to)
{
    FileSystem *inner = confined_of(fs)->inner;
    TRY(check(fs, from));
    TRY(check(fs, to));
    return inner->rename(inner, from, to);
}

static Error *remove_file(FileSystem *fs, const char *path)
{
    FileSystem *inner = confined_of(fs)->inner;
    TRY(check(fs, path));
    return inner->remove(inner, path);
}

static Error *make_directories(FileSystem *fs, const char *path)
{
    FileSystem *inner = confined_of(fs)->inner;
    TRY(check(fs, path));
    return inner->make_directories(inner, path);
}

static Error *sync_directory(FileSystem *fs, const char *path)
{
    FileSystem *inner = confined_of(fs)->inner;
    TRY(check(fs, path));
    return inner->sync_directory(inner, path);
}

/* The part of a pattern before its first special character is looked at, and each path that is found. */
static Error *glob_files(FileSystem *fs, Arena *arena, const char *pattern, const char *const **paths, int *count)
{
    FileSystem *inner = confined_of(fs)->inner;
    char plain[PATH_MAX];
    size_t length = strcspn(pattern, "*?[");
    while (pattern[length] && length > 0 && pattern[length - 1] != '/')
        length--;
    if (length >= sizeof plain)
        return outside(pattern);
    memcpy(plain, pattern, length);
    plain[length] = 0;
    TRY(check(fs, length ? plain : "."));
    TRY(inner->glob(inner, arena, pattern, paths, count));
    for (int i = 0; i < *count; i++)
        TRY(check(fs, (*paths)[i]));
    return NULL;
}

static Error *read_at(FileSystem *fs, int handle, uint64_t offset, void *bytes, size_t size, size_t *done)
{
    FileSystem *inner = confined_of(fs)->inner;
    return inner->read_at(inner, handle, offset, bytes, size, done);
}

static Error *read_next(FileSystem *fs, int handle, void *bytes, size_t size, size_t *done)
{
    FileSystem *inner = confined_of(fs)->inner;
    return inner->read_next(inner, handle, bytes, size, done);
}

static Error *write_all(FileSystem *fs, int handle, const void *bytes, size_t size)
{
    FileSystem *inner = confined_of(fs)->inner;
    return inner->write_all(inner, handle, bytes, size);
}

static Error *sync_file(FileSystem *fs, int handle)
{
    FileSystem *inner = confined_of(fs)->inner;
    return inner->sync(inner, handle);
}

static Error *truncate_file(FileSystem *fs, int handle, uint64_t length)
{
    FileSystem *inner = confined_of(fs)->inner;
    return inner->truncate(inner, handle, length);
}

static void close_file(FileSystem *fs, int handle)
{
    FileSystem *inner = confined_of(fs)->inner;
    inner->close(inner, handle);
}

static Error *info_of(FileSystem *fs, int handle, FileInfo *about)
{
    FileSystem *inner = confined_of(fs)->inner;
    return inner->info_of(inner, handle, about);
}

static const FileSystem methods = {
    .open_read = open_read,
    .open_write = open_write,
    .read_at = read_at,
    .read_next = read_next,
    .write_all = write_all,
    .sync = sync_file,
    .truncate = truncate_file,
    .close = close_file,
    .info = info,
    .info_of = info_of,
    .rename = rename_file,
    .remove = remove_file,
    .make_directories = make_directories,
    .sync_directory = sync_directory,
    .glob = glob_files,
};

Error *confined_new(FileSystem *inner, const char *const *directories, int count, FileSystem **result)
{
    Confined *confined = mem_calloc(1, sizeof *confined);
    confined->fs = methods;
    confined->fs.owner = confined;
    confined->inner = inner;
    confined->roots = mem_calloc((size_t)count + 1, sizeof *confined->roots);
    for (; confined->count < count; confined->count++) {
        char real[PATH_MAX];
        if (!realpath(directories[confined->count], real)) {
            Error *error = error_new(ERR_CONNECT, "cannot use the directory '%s': %s", directories[confined->count], strerror(errno));
            confined_free(&confined->fs);
            return error;
        }
        confined->roots[confined->count] = mem_strdup(real);
    }
    *result = &confined->fs;
    return NULL;
}

void confined_free(FileSystem *fs)
{
    if (!fs)
        return;
    Confined *confined = fs->owner;
    for (int i = 0; i < confined->count; i++)
        mem_free(confined->roots[i]);
    mem_free(confined->roots);
    mem_free(confined);
}
