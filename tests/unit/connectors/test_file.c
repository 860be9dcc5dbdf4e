/* Files as a source: the same bytes however they are asked for, mapped, read or unpacked; places, growth, rotation, several files. */
#include "tests/unit/common/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "connectors/connectors_internal.h"
#include "connectors/file.h"

typedef struct Fixture {
    Arena arena;
    MemoryPool pool;
    char folder[64];
    ConnectorContext context;
    FileOptions options;
    SourceSpec spec;
    Source source;
} Fixture;

static int start(void **state)
{
    Fixture *f = *state = calloc(1, sizeof *f);
    arena_init(&f->arena, NULL);
    pool_init(&f->pool, NULL, "files", 0);
    snprintf(f->folder, sizeof f->folder, "/tmp/bidsql-source-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->context = (ConnectorContext){ .filesystem = filesystem_system(), .clock = clock_system(), .pool = &f->pool, .base_directory = f->folder };
    f->spec = (SourceSpec){ .connector = &file_connector, .options = &f->options };
    return 0;
}
static int stop(void **state)
{
    Fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", f->folder);
    int failed = system(command) != 0 || f->pool.used_bytes != 0;
    arena_release(&f->arena);
    free(f);
    return failed;
}

static const char *in_folder(Fixture *f, const char *name) { return arena_printf(&f->arena, "%s/%s", f->folder, name); }

static void write_file(Fixture *f, const char *name, const char *bytes, size_t length, const char *mode)
{
    FILE *file = fopen(in_folder(f, name), mode);
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void open_path(Fixture *f, const char *path, bool batch_mode)
{
    f->options.path = path;
    f->context.batch_mode = batch_mode;
    f->source = (Source){ .spec = &f->spec, .context = &f->context };
    assert_fine(file_source.open(&f->source));
}
static Error *try_open(Fixture *f, const char *path)
{
    f->options.path = path;
    f->source = (Source){ .spec = &f->spec, .context = &f->context };
    return file_source.open(&f->source);
}

static Text lines_of_text(int count)
{
    Text text = { 0 };
    for (int i = 0; i < count; i++)
        text_printf(&text, "{\"line\": %d, \"filling\": \"%.*s\"}\n", i, (int)random_upto(60), "------------------------------------------------------------");
    text_c(&text);
    return text;
}

static void write_packed(Fixture *f, const char *name, const Text *text, Compression kind)
{
    Text packed = { 0 };
    if (kind == COMPRESSION_NONE) {
        write_file(f, name, text->bytes, text->length, "w");
        return;
    }
    Compressor *compressor = compressor_new(kind, 0);
    assert_fine(compressor_run(compressor, text->bytes, text->length, COMPRESSOR_FINISH, &packed));
    compressor_free(compressor);
    write_file(f, name, packed.bytes, packed.length, "w");
    text_release(&packed);
}

/* Reads from `position` to the end in random steps; every piece stays what it was until it is released. */
static void assert_reads(Fixture *f, int split, const Text *text, size_t position)
{
    enum { HELD = 5 };
    Buffer *held[HELD] = { NULL };
    size_t places[HELD] = { 0 }, at = position;
    for (int step = 0;; step++) {
        SourceInput input;
        size_t want = 1 + random_upto(random_upto(2) ? 3000 : 200000);
        assert_fine(file_source.fill(&f->source, split, want, 1000, &input));
        assert_false(input.waiting || input.part_ends || input.restarted);
        assert_true(input.length <= text->length - at);
        assert_true(input.end || input.length >= want); /* fewer only at the end */
        assert_memory_equal(input.bytes, text->bytes + at, input.length);
        if (input.end)
            assert_int_equal(input.length, text->length - at);
        if (input.length == 0) {
            assert_true(input.end);
            break;
        }
        size_t length = random_upto(3) ? input.length : 1 + random_upto(input.length - 1);
        Buffer *buffer = NULL;
        assert_fine(file_source.take(&f->source, split, length, &buffer));
        assert_int_equal(buffer->length, length);
        buffer_release(held[step % HELD]);
        held[step % HELD] = buffer;
        places[step % HELD] = at;
        at += length;
        for (int i = 0; i < HELD; i++)
            if (held[i])
                assert_memory_equal(held[i]->bytes, text->bytes + places[i], held[i]->length);
        if (at == text->length) { /* nothing but zeros behind the last byte, for scanners */
            for (int i = 0; i < BUFFER_PADDING; i++)
                assert_int_equal(buffer->bytes[length + (size_t)i], 0);
        }
        assert_fine(file_source.verify(&f->source, split));
    }
    assert_int_equal(at, text->length);
    for (int i = 0; i < HELD; i++)
        buffer_release(held[i]);
}

static void bytes_are_the_same_however_they_are_read(void **state)
{
    Fixture *f = *state;
    static const struct { const char *name; Compression kind; bool mapped; } cases[] = { { "a.jsonl", COMPRESSION_NONE, true }, { "b.jsonl", COMPRESSION_NONE, false }, { "c.jsonl.gz", COMPRESSION_GZIP, false },
        { "d.zst", COMPRESSION_ZSTD, true }, { "packed-without-ending", COMPRESSION_GZIP, true } };
    for (size_t c = 0; c < COUNT(cases); c++)
        for (int round = 0; round < 6; round++) {
            Text text = lines_of_text(round == 0 ? 0 : round == 1 ? 1 : round == 2 ? 64 : 8000);
            if (round == 2) { /* ends with a page */
                while (text.length % 4096)
                    text_add_char(&text, 'x');
            }
            write_packed(f, cases[c].name, &text, cases[c].kind);
            open_path(f, cases[c].name, cases[c].mapped);
            assert_int_equal(f->source.split_count, 1);
            assert_string_equal(f->source.splits[0].name, cases[c].name);
            assert_true(f->source.splits[0].bounded && file_source.bounded(&f->options));
            struct stat status;
            assert_int_equal(stat(in_folder(f, cases[c].name), &status), 0);
            assert_int_equal(f->source.splits[0].length, status.st_size);
            assert_reads(f, 0, &text, 0);
            assert_int_equal(file_source.progress(&f->source, 0), status.st_size);
            for (int again = 0; again < 4 && text.length; again++) { /* any place, back and forth */
                size_t position = random_upto(text.length);
                assert_fine(file_source.seek(&f->source, 0, position));
                assert_reads(f, 0, &text, position);
            }
            Error *error = file_source.seek(&f->source, 0, text.length + 1);
            assert_error(error, "shorter than where the job had stopped");
            file_source.close(&f->source);
            file_source.close(&f->source); /* safe to repeat */
            text_release(&text);
        }
}

static void patterns_make_splits_in_order(void **state)
{
    Fixture *f = *state;
    static const char *const names[] = { "part-10.csv", "part-2.csv", "part-1.csv.gz", "other.csv" }, *const sorted[] = { "part-1.csv.gz", "part-10.csv", "part-2.csv" };
    Text texts[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++) {
        texts[i] = lines_of_text(100 + (int)i);
        write_packed(f, names[i], &texts[i], compression_for_path(names[i]));
    }
    open_path(f, "part-*", true);
    assert_int_equal(f->source.split_count, 3);
    for (int s = 0; s < 3; s++) {
        assert_string_equal(f->source.splits[s].name, sorted[s]);
        for (size_t i = 0; i < COUNT(names); i++)
            if (strcmp(names[i], sorted[s]) == 0)
                assert_reads(f, s, &texts[i], 0);
    }
    file_source.close(&f->source);
    for (size_t i = 0; i < COUNT(names); i++)
        text_release(&texts[i]);
}

/* More files than may be open at a time, read in turns. */
static void many_files_are_read_side_by_side(void **state)
{
    Fixture *f = *state;
    enum { FILES = 600 };
    for (int i = 0; i < FILES; i++) {
        char name[32], text[64];
        snprintf(name, sizeof name, "m%04d", i);
        write_file(f, name, text, (size_t)sprintf(text, "first of %d\nsecond of %d\n", i, i), "w");
    }
    open_path(f, "m*", false);
    assert_int_equal(f->source.split_count, FILES);
    for (int line = 0; line < 3; line++)
        for (int i = 0; i < FILES; i++) {
            SourceInput input;
            char expected[64];
            assert_fine(file_source.fill(&f->source, i, 5, 0, &input));
            if (line == 2) {
                assert_true(input.end && input.length == 0);
                continue;
            }
            size_t length = (size_t)sprintf(expected, line ? "second of %d\n" : "first of %d\n", i);
            assert_fine(file_source.fill(&f->source, i, length, 0, &input));
            assert_true(input.length >= length);
            assert_memory_equal(input.bytes, expected, length);
            Buffer *buffer;
            assert_fine(file_source.take(&f->source, i, length, &buffer));
            buffer_release(buffer);
        }
    file_source.close(&f->source);
}

static void what_cannot_be_opened_is_said(void **state)
{
    Fixture *f = *state;
    static const struct { const char *path, *part; } cases[] = { { "missing.json", "missing.json" }, { "no*match", "no file matches" }, { "folder", "directory" } };
    assert_int_equal(mkdir(in_folder(f, "folder"), 0777), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        Error *error = try_open(f, cases[i].path);
        assert_non_null(error);
        assert_int_equal(error->code, ERR_CONNECT);
        assert_error(error, cases[i].part);
        file_source.close(&f->source);
    }
    f->options.follow = true;
    write_file(f, "x.gz", "", 0, "w");
    assert_error(try_open(f, "x.gz"), "'follow' works on plain files");
    file_source.close(&f->source);
    f->options.follow = false;
    write_file(f, "broken.gz", "\x1f\x8b\x08\0\0\0\0\0\0\3rubbish that is no deflate stream", 40, "w");
    open_path(f, "broken.gz", true);
    SourceInput input;
    Error *error = file_source.fill(&f->source, 0, 1000, 0, &input);
    assert_non_null(error);
    assert_int_equal(error->code, ERR_IO);
    assert_error(error, "broken.gz");
    file_source.close(&f->source);
}

static void shrinking_files_are_noticed(void **state)
{
    Fixture *f = *state;
    Text text = lines_of_text(2000);
    write_file(f, "shrinks", text.bytes, text.length, "w");
    open_path(f, "shrinks", true);
    SourceInput input;
    assert_fine(file_source.fill(&f->source, 0, 100, 0, &input));
    assert_fine(file_source.verify(&f->source, 0));
    assert_int_equal(truncate(in_folder(f, "shrinks"), 10), 0);
    volatile char sum = 0; /* touching what is gone kills nobody */
    for (size_t i = 0; i < input.length; i += 512)
        sum = (char)(sum + input.bytes[i]);
    assert_error(file_source.verify(&f->source, 0), "shrank while it was read");
    file_source.close(&f->source);
    text_release(&text);
}

/* ---- follow ---- */

static Text take_what_is_there(Fixture *f, bool *restarted, bool *part_ends)
{
    Text out = { 0 };
    *restarted = *part_ends = false;
    for (;;) {
        SourceInput input;
        Buffer *buffer;
        assert_fine(file_source.fill(&f->source, 0, 10, 0, &input));
        assert_false(input.end); /* never */
        *part_ends |= input.part_ends;
        *restarted |= input.restarted;
        if (input.length == 0) {
            assert_true(input.waiting || input.part_ends);
            if (input.part_ends)
                continue;
            text_c(&out);
            return out;
        }
        assert_fine(file_source.take(&f->source, 0, input.length, &buffer));
        text_add(&out, buffer->bytes, buffer->length);
        buffer_release(buffer);
    }
}

static void assert_follows(Fixture *f, const char *expected, bool expect_new_beginning)
{
    bool restarted, part_ends;
    Text text = take_what_is_there(f, &restarted, &part_ends);
    assert_string_equal(text.bytes, expected);
    assert_int_equal(restarted, expect_new_beginning);
    text_release(&text);
}

static void growing_files_are_followed(void **state)
{
    Fixture *f = *state;
    f->options.follow = true;
    write_file(f, "log", "one\n", 4, "w");
    open_path(f, "log", true);
    assert_false(f->source.splits[0].bounded);
    assert_int_equal(f->source.splits[0].length, -1);
    assert_follows(f, "one\n", false);
    assert_follows(f, "", false);
    write_file(f, "log", "two\nthree\n", 10, "a");
    assert_follows(f, "two\nthree\n", false);
    write_file(f, "log", "", 0, "w"); /* cut, and written anew */
    write_file(f, "log", "new\n", 4, "a");
    assert_follows(f, "new\n", true);
    write_file(f, "log", "last\n", 5, "a"); /* rotated: the old one is finished first */
    assert_int_equal(rename(in_folder(f, "log"), in_folder(f, "log.1")), 0);
    assert_follows(f, "last\n", false);
    write_file(f, "log", "after rotation\n", 15, "w");
    assert_follows(f, "after rotation\n", true);
    assert_fine(file_source.seek(&f->source, 0, 6));
    assert_follows(f, "rotation\n", false);
    assert_fine(file_source.seek(&f->source, 0, 500)); /* shorter than that: another file, from its beginning */
    assert_follows(f, "after rotation\n", true);
    file_source.close(&f->source);
}

static void pipes_wait_and_end(void **state)
{
    Fixture *f = *state;
    const char *path = in_folder(f, "pipe");
    assert_int_equal(mkfifo(path, 0666), 0);
    FILE *both = fopen(path, "r+"); /* so that opening it does not wait */
    assert_non_null(both);
    open_path(f, "pipe", true);
    assert_int_equal(f->source.splits[0].length, -1);
    FILE *writer = fopen(path, "w");
    fputs("half a li", writer);
    fflush(writer);
    SourceInput input;
    assert_fine(file_source.fill(&f->source, 0, 100, 1000, &input));
    assert_true(input.waiting && !input.end);
    assert_text(input.bytes, input.length, "half a li");
    fputs("ne\n", writer);
    fflush(writer);
    assert_fine(file_source.fill(&f->source, 0, 12, 1000000, &input));
    assert_text(input.bytes, input.length, "half a line\n");
    Buffer *buffer;
    assert_fine(file_source.take(&f->source, 0, 12, &buffer));
    assert_error(file_source.seek(&f->source, 0, 3), "is a pipe");
    assert_text(buffer->bytes, buffer->length, "half a line\n");
    buffer_release(buffer);
    fclose(writer);
    fclose(both);
    assert_fine(file_source.fill(&f->source, 0, 12, 1000000, &input));
    assert_true(input.end && input.length == 0);
    file_source.close(&f->source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: cmocka takes SIGBUS for itself before each test, and the handler of mappings comes with the first mapping only. */
        cmocka_unit_test_setup_teardown(shrinking_files_are_noticed, start, stop),
        cmocka_unit_test_setup_teardown(bytes_are_the_same_however_they_are_read, start, stop),
        cmocka_unit_test_setup_teardown(patterns_make_splits_in_order, start, stop),
        cmocka_unit_test_setup_teardown(many_files_are_read_side_by_side, start, stop),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_said, start, stop),
        cmocka_unit_test_setup_teardown(growing_files_are_followed, start, stop),
        cmocka_unit_test_setup_teardown(pipes_wait_and_end, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
