/* exec/expression_internal.h: what evaluating expressions and evaluating lambdas share. */
#pragma once
#include "exec/expression.h"

typedef struct Node Node;
typedef struct Body Body;

struct Node {
    const Expr *expr;
    const Vector *constant;   /* EXPR_CONSTANT */
    Node *args;
    int arg_count;
    const void *prepared;
    const Vector **vectors;   /* EXPR_CALL: room for the arguments' results */
    bool narrow_pays;         /* something in it costs more than a selection, or can fail */
    int local;                /* in a lambda's body: the parameter or captured value that this is; -1: none */
    Body *body;               /* EXPR_LAMBDA */
};

typedef struct Run {
    Evaluation *evaluation;
    const Batch *batch;           /* NULL in a lambda's body: columns are captured */
    Arena *arena;
    uint32_t row_count;
    const Vector *const *locals;  /* in a lambda's body: parameters, then captured values */
} Run;

/* A lambda's body while it is compiled: what it takes from the row around it is captured. */
typedef struct Frame {
    Body *body;
    struct Frame *outer;      /* NULL: the lambda stands in no other one */
} Frame;

Error *node_open(Arena *arena, Node *node, const Expr *expr, Frame *frame);
Error *node_run(Node *node, const Run *run, const Selection *live, const Vector **result);
uint32_t *run_rows(const Run *run, uint32_t count); /* room for row numbers */
const Vector *run_null(const Run *run, const Type *type);
/* Rows of `live` that are NULL, or those that are not. */
Selection select_null(const Run *run, const Vector *vector, const Selection *live, bool null);

/* ---- lambda.c ---- */

/* Compiles EXPR_LAMBDA. */
Error *body_open(Arena *arena, Node *lambda, Frame *outer);
/* In a body: is this expression a parameter of it, or something that is the same for all elements of a row? Then node->local is set. */
Error *body_capture(Arena *arena, Node *node, const Expr *expr, Frame *frame, bool *captured);
/* Evaluates EXPR_APPLY. */
Error *run_apply(Node *node, const Run *run, const Selection *live, const Vector **result);
