/* tester/test_file.h: a .test or .md file as a list of steps. Private to the room. */
#pragma once
#include "common/arena.h"
#include "common/error.h"

typedef enum StepKind {
    STEP_FILE,       /* write a file */
    STEP_USE,        /* link a file from beside the test */
    STEP_STATEMENT,  /* SQL that must run */
    STEP_ERROR,      /* SQL that must fail */
    STEP_QUERY,      /* SQL whose rows are compared */
    STEP_EXPECT,     /* a counter, or a part of a notice */
    STEP_FILE_IS,    /* compare a written file */
    STEP_SET,        /* a session setting */
    STEP_CLOCK,      /* set the clock */
    STEP_SCHEMA      /* register a schema with the registry of the topics */
} StepKind;

typedef struct Lines { const char **items; int count, capacity; } Lines;

typedef struct Step {
    StepKind kind;
    int line;              /* where it starts */
    int expected_line;     /* where its expected lines start; 0: it has none */
    bool includes;         /* every expected line is part of some row */
    bool changelog, sorted, final;
    const char *name;      /* file, setting, counter */
    const char *value;     /* STEP_SCHEMA: the type */
    int number;            /* STEP_SCHEMA: 0: the next one */
    const char *sql;
    Lines expected;        /* rows; parts of an error; lines of a file */
} Step;

typedef struct TestFile {
    const char *path;
    struct { Step *items; int count, capacity; } steps;
    const char *skip[16];  /* names of modes that do not apply, with their reasons in the file */
    int skip_count;
    bool topics;           /* topics are logs in the process */
    bool until_quiet;      /* jobs over them end when there is nothing to read now */
} TestFile;

/* Reads by the file's ending: .md takes fenced blocks, everything else is a test file. Errors name line and reason. */
Error *test_file_read(Arena *arena, const char *path, const char *text, size_t length, TestFile *file);
