/* The system's file system: what is written is read, what is missing is said, patterns come in order. */
#include "tests/unit/common/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/filesystem.h"

typedef struct Fixture {
    FileSystem *fs;
    Arena arena;
    char folder[64];
} Fixture;

static int start(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    f->fs = filesystem_system();
    arena_init(&f->arena, NULL);
    snprintf(f->folder, sizeof f->folder, "/tmp/bidsql-files-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    *state = f;
    return 0;
}
static int stop(void **state)
{
    Fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", f->folder);
    int failed = system(command);
    arena_release(&f->arena);
    free(f);
    return failed;
}

static const char *in_folder(Fixture *f, const char *name) { return arena_printf(&f->arena, "%s/%s", f->folder, name); }

static void write_file(Fixture *f, const char *name, const char *bytes)
{
    int handle;
    assert_fine(f->fs->open_write(f->fs, in_folder(f, name), true, false, &handle));
    assert_fine(f->fs->write_all(f->fs, handle, bytes, strlen(bytes)));
    f->fs->close(f->fs, handle);
}

static void assert_content(Fixture *f, const char *name, const char *expected)
{
    char bytes[256];
    size_t done;
    int handle;
    assert_fine(f->fs->open_read(f->fs, in_folder(f, name), &handle));
    assert_fine(f->fs->read_at(f->fs, handle, 0, bytes, sizeof bytes, &done));
    f->fs->close(f->fs, handle);
    assert_text(bytes, done, expected);
}

static void files_are_written_and_read(void **state)
{
    Fixture *f = *state;
    char bytes[16];
    size_t done;
    int handle;
    FileInfo info;
    write_file(f, "a", "0123456789");
    assert_fine(f->fs->open_read(f->fs, in_folder(f, "a"), &handle));
    assert_fine(f->fs->read_at(f->fs, handle, 4, bytes, 3, &done));
    assert_text(bytes, done, "456");
    assert_fine(f->fs->read_at(f->fs, handle, 7, bytes, 16, &done)); /* short only at the end */
    assert_text(bytes, done, "789");
    assert_fine(f->fs->read_at(f->fs, handle, 100, bytes, 16, &done));
    assert_int_equal(done, 0);
    assert_fine(f->fs->read_next(f->fs, handle, bytes, 6, &done)); /* read_at moved nothing */
    assert_text(bytes, done, "012345");
    assert_fine(f->fs->read_next(f->fs, handle, bytes, 6, &done));
    assert_text(bytes, done, "6789");
    assert_fine(f->fs->read_next(f->fs, handle, bytes, 6, &done));
    assert_int_equal(done, 0);
    assert_fine(f->fs->info_of(f->fs, handle, &info));
    assert_true(info.exists && info.is_regular && !info.is_directory);
    assert_int_equal(info.size_bytes, 10);
    f->fs->close(f->fs, handle);
    assert_fine(f->fs->open_write(f->fs, in_folder(f, "a"), false, false, &handle)); /* appends */
    assert_fine(f->fs->write_all(f->fs, handle, "abc", 3));
    assert_fine(f->fs->sync(f->fs, handle));
    assert_fine(f->fs->truncate(f->fs, handle, 12));
    f->fs->close(f->fs, handle);
    assert_content(f, "a", "0123456789ab");
    write_file(f, "a", "new");
    assert_content(f, "a", "new");
    assert_error(f->fs->open_write(f->fs, in_folder(f, "a"), false, true, &handle), "exists");
}

static void pipes_are_read_as_it_comes(void **state)
{
    Fixture *f = *state;
    int ends[2];
    char bytes[16];
    size_t done;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_fine(f->fs->read_next(f->fs, ends[0], bytes, sizeof bytes, &done)); /* what is there, not what was asked for */
    assert_text(bytes, done, "abc");
    close(ends[1]);
    assert_fine(f->fs->read_next(f->fs, ends[0], bytes, sizeof bytes, &done));
    assert_int_equal(done, 0);
    close(ends[0]);
}

static void failures_name_the_path_and_the_reason(void **state)
{
    Fixture *f = *state;
    int handle;
    char bytes[4];
    size_t done;
    FileInfo info;
    Error *error = f->fs->open_read(f->fs, in_folder(f, "missing"), &handle);
    assert_int_equal(error->code, ERR_IO);
    assert_non_null(strstr(error->message, "missing"));
    assert_false(error->retriable);
    assert_error(error, "No such file");
    assert_error(f->fs->open_write(f->fs, in_folder(f, "no/such/folder"), true, false, &handle), "No such file");
    assert_fine(f->fs->open_read(f->fs, f->folder, &handle));
    assert_error(f->fs->read_at(f->fs, handle, 0, bytes, 4, &done), "directory");
    f->fs->close(f->fs, handle);
    assert_error(f->fs->remove(f->fs, in_folder(f, "missing")), "missing");
    assert_error(f->fs->rename(f->fs, in_folder(f, "missing"), in_folder(f, "b")), "missing");
    assert_error(f->fs->sync_directory(f->fs, in_folder(f, "missing")), "missing");
    assert_fine(f->fs->info(f->fs, in_folder(f, "missing"), &info)); /* absence is an answer */
    assert_false(info.exists);
    write_file(f, "file", "x");
    assert_fine(f->fs->info(f->fs, in_folder(f, "file/below"), &info));
    assert_false(info.exists);
    assert_error(f->fs->make_directories(f->fs, in_folder(f, "file/below")), "file");
    assert_fine(f->fs->open_write(f->fs, "/dev/full", false, false, &handle));
    error = f->fs->write_all(f->fs, handle, "x", 1);
    assert_true(error->retriable); /* a full disk may be emptied */
    assert_error(error, "No space");
    f->fs->close(f->fs, handle);
}

static void folders_and_names(void **state)
{
    Fixture *f = *state;
    FileInfo info, moved;
    assert_fine(f->fs->make_directories(f->fs, in_folder(f, "a/b/c")));
    assert_fine(f->fs->make_directories(f->fs, in_folder(f, "a/b/c")));
    assert_fine(f->fs->info(f->fs, in_folder(f, "a/b/c"), &info));
    assert_true(info.exists && info.is_directory && !info.is_regular);
    assert_fine(f->fs->sync_directory(f->fs, in_folder(f, "a")));
    write_file(f, "a/one", "1");
    assert_fine(f->fs->info(f->fs, in_folder(f, "a/one"), &info));
    assert_fine(f->fs->rename(f->fs, in_folder(f, "a/one"), in_folder(f, "a/two")));
    assert_fine(f->fs->info(f->fs, in_folder(f, "a/two"), &moved));
    assert_true(moved.inode == info.inode && moved.device == info.device);
    assert_true(moved.modified_us > 1600000000000000);
    assert_fine(f->fs->remove(f->fs, in_folder(f, "a/two")));
    assert_fine(f->fs->info(f->fs, in_folder(f, "a/two"), &info));
    assert_false(info.exists);
}

static void patterns_give_files_in_order(void **state)
{
    Fixture *f = *state;
    static const char *const names[] = { "b.json", "a.json", "B.json", "a10.json", "a2.json", "é.json", "c.csv" }, *const sorted[] = { "B.json", "a.json", "a10.json", "a2.json", "b.json", "é.json" };
    const char *const *paths;
    int count;
    for (size_t i = 0; i < COUNT(names); i++)
        write_file(f, names[i], "x");
    assert_fine(f->fs->make_directories(f->fs, in_folder(f, "folder.json")));
    assert_fine(f->fs->glob(f->fs, &f->arena, in_folder(f, "*.json"), &paths, &count));
    assert_int_equal(count, COUNT(sorted));
    for (int i = 0; i < count; i++)
        assert_string_equal(paths[i], in_folder(f, sorted[i]));
    assert_fine(f->fs->glob(f->fs, &f->arena, in_folder(f, "a?.json"), &paths, &count));
    assert_int_equal(count, 1);
    assert_fine(f->fs->glob(f->fs, &f->arena, in_folder(f, "*.xml"), &paths, &count));
    assert_int_equal(count, 0);
    assert_fine(f->fs->glob(f->fs, &f->arena, in_folder(f, "c.csv"), &paths, &count));
    assert_int_equal(count, 1);
    write_file(f, "[x]*.csv", "x"); /* a name that is a pattern is that file */
    assert_fine(f->fs->glob(f->fs, &f->arena, in_folder(f, "[x]*.csv"), &paths, &count));
    assert_int_equal(count, 1);
    assert_string_equal(paths[0], in_folder(f, "[x]*.csv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_written_and_read, start, stop),
        cmocka_unit_test_setup_teardown(pipes_are_read_as_it_comes, start, stop),
        cmocka_unit_test_setup_teardown(failures_name_the_path_and_the_reason, start, stop),
        cmocka_unit_test_setup_teardown(folders_and_names, start, stop),
        cmocka_unit_test_setup_teardown(patterns_give_files_in_order, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
