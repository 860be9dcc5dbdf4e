/* terminal/history.c: an entry is added by one write to a file opened for appending, so several shells at once lose nothing of each other. */
#include "terminal/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (4 << 20) /* a larger file is written anew with the newest entries */

static void push(History *history, const char *text, size_t length)
{
    if (history->count == history->limit) {
        mem_free(history->entries[0]);
        memmove(history->entries, history->entries + 1, sizeof *history->entries * --history->count);
    }
    history->entries = mem_grow(history->entries, &history->capacity, history->count + 1, sizeof *history->entries);
    char *copy = mem_alloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = 0;
    history->entries[history->count++] = copy;
}

static void add_line(Text *out, const char *entry)
{
    for (; *entry; entry++) {
        if (*entry == '\n')
            text_add_c(out, "\\n");
        else if (*entry == '\\')
            text_add_c(out, "\\\\");
        else
            text_add_char(out, *entry);
    }
    text_add_char(out, '\n');
}

static void take_lines(History *history, const char *bytes, size_t length)
{
    Text entry = { 0 };
    MEMORY_HOLD(text_unwind, &entry);
    for (size_t at = 0; at < length; at++) {
        if (bytes[at] == '\n') {
            if (entry.length)
                push(history, entry.bytes, entry.length);
            entry.length = 0;
        } else if (bytes[at] == '\\' && at + 1 < length && (bytes[at + 1] == 'n' || bytes[at + 1] == '\\')) {
            text_add_char(&entry, bytes[++at] == 'n' ? '\n' : '\\');
        } else if (bytes[at]) {
            text_add_char(&entry, bytes[at]);
        }
    }
    text_release(&entry);
}

static Error *cannot(const char *what, const char *path) { return error_new(ERR_IO, "cannot %s the history in '%s': %s", what, path, strerror(errno)); }

static Error *write_whole(int fd, const Text *text, const char *path)
{
    for (size_t done = 0; done < text->length;) {
        ssize_t wrote = write(fd, text->bytes + done, text->length - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return cannot("write", path);
        done += (size_t)wrote;
    }
    return NULL;
}

/* The file again with the entries at hand, under another name first. */
static Error *rewrite(const History *history)
{
    Text text = { 0 }, beside = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    MEMORY_HOLD(text_unwind, &beside);
    for (size_t i = 0; i < history->count; i++)
        add_line(&text, history->entries[i]);
    text_printf(&beside, "%s.%d", history->path, (int)getpid());
    int fd = open(text_c(&beside), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    Error *error = fd < 0 ? cannot("write", history->path) : write_whole(fd, &text, history->path);
    if (fd >= 0)
        close(fd);
    if (!error && rename(text_c(&beside), history->path) != 0)
        error = cannot("write", history->path);
    if (error && fd >= 0)
        unlink(text_c(&beside));
    text_release(&text);
    text_release(&beside);
    return error;
}

static Error *read_file(History *history, bool *large)
{
    int fd = open(history->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? NULL : cannot("read", history->path);
    struct stat about;
    Text text = { 0 };
    MEMORY_HOLD(text_unwind, &text);
    Error *error = NULL;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        error = error_new(ERR_IO, "the history in '%s' is no file", history->path);
    } else {
        char piece[65536];
        ssize_t got;
        while ((got = read(fd, piece, sizeof piece)) > 0 || (got < 0 && errno == EINTR))
            if (got > 0)
                text_add(&text, piece, (size_t)got);
        if (got < 0)
            error = cannot("read", history->path);
        fchmod(fd, 0600); /* a file from elsewhere, open to others */
    }
    close(fd);
    take_lines(history, text_c(&text), text.length);
    *large = text.length > FILE_BYTES_MAX;
    text_release(&text);
    return error;
}

Error *history_init(History *history, const char *path, size_t limit, bool (*is_secret)(const char *text, size_t length))
{
    *history = (History){ .limit = limit ? limit : 1, .is_secret = is_secret };
    if (!path)
        return NULL;
    history->path = mem_strdup(path);
    bool large = false;
    Error *error = read_file(history, &large);
    if (!error && large)
        error = rewrite(history);
    if (error) {
        mem_free(history->path);
        history->path = NULL;
    }
    return error;
}

void history_release(History *history)
{
    for (size_t i = 0; i < history->count; i++)
        mem_free(history->entries[i]);
    mem_free(history->entries);
    mem_free(history->path);
    *history = (History){ 0 };
}

/* The folder of the file, and those around it. */
static void make_folders(const char *path)
{
    char folder[4096];
    size_t length = strlen(path);
    if (length >= sizeof folder)
        return;
    memcpy(folder, path, length + 1);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(folder, 0700);
        *slash = '/';
    }
}

Error *history_add(History *history, const char *text, size_t length)
{
    if (length == 0 || text[0] == ' ' || text[0] == '\t' || (history->is_secret && history->is_secret(text, length)))
        return NULL;
    const char *newest = history->count ? history->entries[history->count - 1] : NULL;
    if (newest && strlen(newest) == length && memcmp(newest, text, length) == 0)
        return NULL;
    push(history, text, length);
    if (!history->path)
        return NULL;
    int fd = open(history->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOENT) {
        make_folders(history->path);
        fd = open(history->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    }
    if (fd < 0)
        return cannot("write", history->path);
    Text line = { 0 };
    MEMORY_HOLD(text_unwind, &line);
    add_line(&line, history->entries[history->count - 1]);
    Error *error = write_whole(fd, &line, history->path);
    text_release(&line);
    close(fd);
    return error;
}

size_t history_search(const History *history, size_t before, const char *text, size_t length)
{
    for (size_t i = before < history->count ? before : history->count; i-- > 0;)
        if (memmem(history->entries[i], strlen(history->entries[i]), text, length))
            return i;
    return SIZE_MAX;
}

Error *history_clear(History *history)
{
    for (size_t i = 0; i < history->count; i++)
        mem_free(history->entries[i]);
    history->count = 0;
    if (history->path && unlink(history->path) != 0 && errno != ENOENT)
        return cannot("remove", history->path);
    return NULL;
}
