/* common/filesystem.c: the system's file system. */
#include "common/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Error *failed(const char *what, const char *path)
{
    int reason = errno;
    Error *error = path ? error_new(ERR_IO, "cannot %s '%s': %s", what, path, strerror(reason)) : error_new(ERR_IO, "cannot %s: %s", what, strerror(reason));
    error->retriable = reason == ENOSPC || reason == EAGAIN;
    return error;
}

static Error *open_read(FileSystem *fs, const char *path, int *handle)
{
    (void)fs;
    *handle = open(path, O_RDONLY | O_CLOEXEC);
    return *handle < 0 ? failed("open", path) : NULL;
}

static Error *open_write(FileSystem *fs, const char *path, bool truncate_it, bool exclusive, int *handle)
{
    (void)fs;
    *handle = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (truncate_it ? O_TRUNC : O_APPEND) | (exclusive ? O_EXCL : 0), 0666);
    return *handle < 0 ? failed("create", path) : NULL;
}

static Error *read_at(FileSystem *fs, int handle, uint64_t offset, void *bytes, size_t size, size_t *done)
{
    (void)fs;
    *done = 0;
    while (*done < size) {
        ssize_t got = pread(handle, (char *)bytes + *done, size - *done, (off_t)(offset + *done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed("read", NULL);
        if (got == 0)
            break;
        *done += (size_t)got;
    }
    return NULL;
}

static Error *read_next(FileSystem *fs, int handle, void *bytes, size_t size, size_t *done)
{
    (void)fs;
    ssize_t got;
    do
        got = read(handle, bytes, size);
    while (got < 0 && errno == EINTR);
    *done = got > 0 ? (size_t)got : 0;
    return got < 0 ? failed("read", NULL) : NULL;
}

static Error *write_all(FileSystem *fs, int handle, const void *bytes, size_t size)
{
    (void)fs;
    for (size_t done = 0; done < size;) {
        ssize_t wrote = write(handle, (const char *)bytes + done, size - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return failed("write", NULL);
        done += (size_t)wrote;
    }
    return NULL;
}

static Error *sync_handle(FileSystem *fs, int handle)
{
    (void)fs;
    return fsync(handle) ? failed("sync", NULL) : NULL;
}

static Error *truncate_handle(FileSystem *fs, int handle, uint64_t length)
{
    (void)fs;
    return ftruncate(handle, (off_t)length) ? failed("truncate", NULL) : NULL;
}

static void close_handle(FileSystem *fs, int handle)
{
    (void)fs;
    close(handle);
}

static void fill_info(const struct stat *status, FileInfo *info)
{
    *info = (FileInfo){ .exists = true, .is_directory = S_ISDIR(status->st_mode), .is_regular = S_ISREG(status->st_mode),
        .size_bytes = status->st_size, .device = status->st_dev, .inode = status->st_ino,
        .modified_us = (int64_t)status->st_mtim.tv_sec * 1000000 + status->st_mtim.tv_nsec / 1000 };
}

static Error *info(FileSystem *fs, const char *path, FileInfo *info)
{
    (void)fs;
    struct stat status;
    if (stat(path, &status)) {
        *info = (FileInfo){ 0 };
        return errno == ENOENT || errno == ENOTDIR ? NULL : failed("look at", path);
    }
    fill_info(&status, info);
    return NULL;
}

static Error *info_of(FileSystem *fs, int handle, FileInfo *info)
{
    (void)fs;
    struct stat status;
    if (fstat(handle, &status))
        return failed("look at an open file", NULL);
    fill_info(&status, info);
    return NULL;
}

static Error *rename_path(FileSystem *fs, const char *from, const char *to)
{
    (void)fs;
    return rename(from, to) ? failed("rename", from) : NULL;
}

static Error *remove_path(FileSystem *fs, const char *path)
{
    (void)fs;
    return unlink(path) ? failed("remove", path) : NULL;
}

static Error *make_directories(FileSystem *fs, const char *path)
{
    (void)fs;
    char part[4096];
    if (strlen(path) >= sizeof part)
        return error_new(ERR_IO, "the path '%.60s..' is too long", path);
    strcpy(part, path);
    for (char *at = part + 1;; at++) {
        if (*at && *at != '/')
            continue;
        char end = *at;
        *at = 0;
        if (mkdir(part, 0777) && errno != EEXIST)
            return failed("make the directory", part);
        if (!end)
            return NULL;
        *at = end;
    }
}

static Error *sync_directory(FileSystem *fs, const char *path)
{
    (void)fs;
    int handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0)
        return failed("open", path);
    Error *error = fsync(handle) ? failed("sync", path) : NULL;
    close(handle);
    return error;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void free_glob(void *found) { globfree(found); }

static Error *glob_paths(FileSystem *fs, Arena *arena, const char *pattern, const char *const **paths, int *count)
{
    FileInfo exact;
    TRY(info(fs, pattern, &exact));
    *count = 0;
    if (exact.exists) { /* also a name that happens to hold * or ? */
        const char **one = ARENA_ARRAY(arena, const char *, 1);
        one[0] = arena_strdup(arena, pattern);
        *paths = one;
        *count = 1;
        return NULL;
    }
    glob_t *found = ARENA_NEW(arena, glob_t);
    arena_defer(arena, free_glob, found);
    if (glob(pattern, GLOB_NOSORT, NULL, found) == GLOB_NOSPACE)
        return error_memory();
    const char **list = ARENA_ARRAY(arena, const char *, found->gl_pathc + 1);
    for (size_t i = 0; i < found->gl_pathc; i++) {
        FileInfo one;
        TRY(info(fs, found->gl_pathv[i], &one));
        if (one.exists && !one.is_directory)
            list[(*count)++] = arena_strdup(arena, found->gl_pathv[i]);
    }
    qsort(list, (size_t)*count, sizeof *list, by_bytes);
    *paths = list;
    return NULL;
}

static FileSystem system_fs = { .open_read = open_read, .open_write = open_write, .read_at = read_at, .read_next = read_next,
    .write_all = write_all, .sync = sync_handle, .truncate = truncate_handle, .close = close_handle, .info = info, .info_of = info_of,
    .rename = rename_path, .remove = remove_path, .make_directories = make_directories, .sync_directory = sync_directory, .glob = glob_paths };

FileSystem *filesystem_system(void) { return &system_fs; }
