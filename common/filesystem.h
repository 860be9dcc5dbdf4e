/* common/filesystem.h: the file system as an interface, so that tests can fill the disk or fail an fsync. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/arena.h"
#include "common/error.h"

typedef struct FileInfo {
    bool exists, is_directory, is_regular;
    int64_t size_bytes;
    uint64_t device, inode;
    int64_t modified_us;
} FileInfo;

typedef struct FileSystem FileSystem;
struct FileSystem {
    /* Handles are small integers >= 0 owned by the caller. Errors are ERR_IO with the path and the system's reason;
     * ENOSPC and EAGAIN are retriable. */
    Error *(*open_read)(FileSystem *fs, const char *path, int *handle);
    Error *(*open_write)(FileSystem *fs, const char *path, bool truncate, bool exclusive, int *handle);
    Error *(*read_at)(FileSystem *fs, int handle, uint64_t offset, void *bytes, size_t size, size_t *done); /* 0 at the end */
    Error *(*read_next)(FileSystem *fs, int handle, void *bytes, size_t size, size_t *done); /* pipes too */
    Error *(*write_all)(FileSystem *fs, int handle, const void *bytes, size_t size); /* appends at the handle's place */
    Error *(*sync)(FileSystem *fs, int handle);
    Error *(*truncate)(FileSystem *fs, int handle, uint64_t length);
    void (*close)(FileSystem *fs, int handle);
    Error *(*info)(FileSystem *fs, const char *path, FileInfo *info); /* a missing file is exists = false, not an error */
    Error *(*info_of)(FileSystem *fs, int handle, FileInfo *info);
    Error *(*rename)(FileSystem *fs, const char *from, const char *to);
    Error *(*remove)(FileSystem *fs, const char *path);
    Error *(*make_directories)(FileSystem *fs, const char *path); /* parents too; fine if they exist */
    Error *(*sync_directory)(FileSystem *fs, const char *path);
    /* Paths that match a shell pattern, sorted bytewise, regular files only; an exact path matches itself. */
    Error *(*glob)(FileSystem *fs, Arena *arena, const char *pattern, const char *const **paths, int *count);
    void *owner;
};

FileSystem *filesystem_system(void);
