/* planner/match_pattern.c: PATTERN (..) as steps: the places where a row is taken, and for each the places that may come next, in
 * order of preference.
 *
 * First a program in the manner of a regular expression's: TAKE a row, SPLIT into a preferred way and another one, JUMP. Bounded
 * quantifiers are written out. Then the ways between two TAKEs are followed once, while planning: what is left at run time is a list a step.
 * A way that comes back to a SPLIT without a row in between ends there: an iteration without rows is not repeated.
 * `^` holds before the first row of a partition alone: ways through it are followed for that row and for no other. Behind `$` no row is taken: a way
 * through it can only end, where the partition does. */
#include "planner/match_pattern.h"

enum { STEPS_MAX = 4096, PROGRAM_MAX = 32 * STEPS_MAX, NEXT_MAX = 1 << 20, PERMUTE_MAX = 6 };

typedef enum OpKind { OP_TAKE, OP_SPLIT, OP_JUMP, OP_AT_START, OP_AT_END, OP_ACCEPT } OpKind;
typedef struct Op { OpKind kind; int variable; bool excluded; int to, other; } Op; /* SPLIT: `to` is preferred */

typedef struct Compiler {
    Arena *arena;
    PatternVariable variable;
    void *owner;
    struct { Op *items; int count, capacity; } program;
    int steps;
    bool excluded;
    Span at;
} Compiler;

static Error *compile(Compiler *compiler, const AstPattern *pattern);

static Error *emit(Compiler *compiler, Op op)
{
    if (compiler->program.count == PROGRAM_MAX || compiler->steps > STEPS_MAX)
        return error_hint(error_at(ERR_BIND, compiler->at, "the pattern is too large: with its quantifiers written out it has more than %d places", STEPS_MAX),
                          "count with COUNT(A.*) in DEFINE instead of {n}");
    LIST_ADD(compiler->arena, &compiler->program, op);
    return NULL;
}

static Error *compile_variable(Compiler *compiler, const AstPattern *pattern)
{
    int variable = 0;
    TRY(compiler->variable(compiler->owner, pattern, &variable));
    compiler->steps++;
    return emit(compiler, (Op){ .kind = OP_TAKE, .variable = variable, .excluded = compiler->excluded });
}

/* A SPLIT whose other way is not known yet. */
static Error *open_split(Compiler *compiler, int *split)
{
    *split = compiler->program.count;
    return emit(compiler, (Op){ .kind = OP_SPLIT });
}

/* enter: the way into the repeated part; leave: the way past it. */
static void set_split(Compiler *compiler, int split, int enter, int leave, bool reluctant)
{
    compiler->program.items[split].to = reluctant ? leave : enter;
    compiler->program.items[split].other = reluctant ? enter : leave;
}

static Error *compile_repeat(Compiler *compiler, const AstPattern *repeat)
{
    const AstPattern *inner = repeat->items[0];
    for (int64_t i = 0; i < repeat->least; i++)
        TRY(compile(compiler, inner));
    if (repeat->most < 0) {
        int split;
        TRY(open_split(compiler, &split));
        TRY(compile(compiler, inner));
        TRY(emit(compiler, (Op){ .kind = OP_JUMP, .to = split }));
        set_split(compiler, split, split + 1, compiler->program.count, repeat->reluctant);
        return NULL;
    }
    struct { int *items; int count, capacity; } splits = { 0 };
    for (int64_t i = repeat->least; i < repeat->most; i++) {
        int split;
        TRY(open_split(compiler, &split));
        LIST_ADD(compiler->arena, &splits, split);
        TRY(compile(compiler, inner));
    }
    for (int i = 0; i < splits.count; i++)
        set_split(compiler, splits.items[i], splits.items[i] + 1, compiler->program.count, repeat->reluctant);
    return NULL;
}

static Error *compile_alternation(Compiler *compiler, const AstPattern *const *items, int count)
{
    struct { int *items; int count, capacity; } jumps = { 0 };
    for (int i = 0; i < count; i++) {
        int split = -1;
        if (i + 1 < count)
            TRY(open_split(compiler, &split));
        TRY(compile(compiler, items[i]));
        if (split < 0)
            break;
        LIST_ADD(compiler->arena, &jumps, compiler->program.count);
        TRY(emit(compiler, (Op){ .kind = OP_JUMP }));
        set_split(compiler, split, split + 1, compiler->program.count, false);
    }
    for (int i = 0; i < jumps.count; i++)
        compiler->program.items[jumps.items[i]].to = compiler->program.count;
    return NULL;
}

/* All orders of the items, as an alternation in the order of the text. */
static void permute(Arena *arena, const AstPattern *of, AstPattern **chosen, int count, uint32_t used, AstPattern *orders)
{
    if (count == of->count) {
        AstPattern *order = ARENA_NEW(arena, AstPattern);
        *order = (AstPattern){ .kind = AST_PATTERN_SEQUENCE, .at = of->at, .count = count, .capacity = count };
        order->items = arena_copy(arena, chosen, sizeof *chosen * (size_t)count);
        LIST_ADD(arena, orders, order);
        return;
    }
    for (int i = 0; i < of->count; i++)
        if (!(used >> i & 1)) {
            chosen[count] = of->items[i];
            permute(arena, of, chosen, count + 1, used | 1u << i, orders);
        }
}

static Error *compile_permute(Compiler *compiler, const AstPattern *pattern)
{
    if (pattern->count > PERMUTE_MAX)
        return error_at(ERR_BIND, pattern->at, "PERMUTE takes at most %d parts", PERMUTE_MAX);
    AstPattern *chosen[PERMUTE_MAX], orders = { .kind = AST_PATTERN_ALTERNATION };
    permute(compiler->arena, pattern, chosen, 0, 0, &orders);
    return compile_alternation(compiler, (const AstPattern *const *)orders.items, orders.count);
}

static Error *compile_exclusion(Compiler *compiler, const AstPattern *pattern)
{
    const bool excluded = compiler->excluded;
    compiler->excluded = true;
    Error *error = compile(compiler, pattern->items[0]);
    compiler->excluded = excluded;
    return error;
}

static Error *compile(Compiler *compiler, const AstPattern *pattern)
{
    switch (pattern->kind) {
    case AST_PATTERN_VARIABLE:
    case AST_PATTERN_ANY: return compile_variable(compiler, pattern);
    case AST_PATTERN_START: return emit(compiler, (Op){ .kind = OP_AT_START });
    case AST_PATTERN_END: return emit(compiler, (Op){ .kind = OP_AT_END });
    case AST_PATTERN_SEQUENCE:
        for (int i = 0; i < pattern->count; i++)
            TRY(compile(compiler, pattern->items[i]));
        return NULL;
    case AST_PATTERN_ALTERNATION: return compile_alternation(compiler, (const AstPattern *const *)pattern->items, pattern->count);
    case AST_PATTERN_PERMUTE: return compile_permute(compiler, pattern);
    case AST_PATTERN_REPEAT: return compile_repeat(compiler, pattern);
    case AST_PATTERN_EXCLUDE: return compile_exclusion(compiler, pattern);
    }
    return NULL;
}

/* ---- ways between two rows ---- */

typedef struct Follower {
    const Op *program;
    const int *step_of;     /* step of each TAKE */
    int *mark, round;       /* places that were met in this round: twice each, before and behind a $ */
    int *stack, *found;     /* of places * 2, + 1 behind a $ */
    int found_count;
} Follower;

/* The steps that can come first from `from` on; each once: a second way to the same step is never preferred. */
static void follow(Follower *f, int from, bool at_start)
{
    int depth = 0;
    f->round++;
    f->found_count = 0;
    f->stack[depth++] = from * 2;
    while (depth) {
        const int place = f->stack[--depth], at = place / 2, behind_end = place & 1;
        if (f->mark[place] == f->round)
            continue;
        f->mark[place] = f->round;
        const Op *op = &f->program[at];
        switch (op->kind) {
        case OP_TAKE:
            if (!behind_end)
                f->found[f->found_count++] = f->step_of[at];
            break;
        case OP_ACCEPT: f->found[f->found_count++] = behind_end ? MATCH_ACCEPT_AT_END : MATCH_ACCEPT; break;
        case OP_AT_START:
            if (at_start)
                f->stack[depth++] = (at + 1) * 2 + behind_end;
            break;
        case OP_AT_END: f->stack[depth++] = (at + 1) * 2 + 1; break;
        case OP_JUMP: f->stack[depth++] = op->to * 2 + behind_end; break;
        case OP_SPLIT:
            f->stack[depth++] = op->other * 2 + behind_end;
            f->stack[depth++] = op->to * 2 + behind_end;
            break;
        }
    }
}

static void set_next(Arena *arena, const Follower *f, MatchStep *step)
{
    step->next_count = f->found_count;
    step->next = arena_copy(arena, f->found, sizeof(int) * (size_t)f->found_count);
}

const AstPattern *match_anchor(const AstPattern *pattern, AstPatternKind kind)
{
    const AstPattern *found = pattern->kind == kind ? pattern : NULL;
    for (int i = 0; i < pattern->count && !found; i++)
        found = match_anchor(pattern->items[i], kind);
    return found;
}

Error *match_steps(Arena *arena, const AstPattern *pattern, PatternVariable variable, void *owner, MatchStep **steps, int *step_count, MatchStep *first)
{
    Compiler compiler = { .arena = arena, .variable = variable, .owner = owner, .at = pattern->at };
    TRY(compile(&compiler, pattern));
    TRY(emit(&compiler, (Op){ .kind = OP_ACCEPT }));
    const int count = compiler.program.count;
    int *step_of = ARENA_ARRAY(arena, int, count + 1);
    *step_count = 1;
    for (int i = 0; i < count; i++)
        if (compiler.program.items[i].kind == OP_TAKE)
            step_of[i] = (*step_count)++;
    *steps = ARENA_ARRAY(arena, MatchStep, *step_count);
    Follower f = { .program = compiler.program.items, .step_of = step_of };
    f.mark = ARENA_ARRAY(arena, int, 2 * count + 2);
    f.stack = ARENA_ARRAY(arena, int, 4 * count + 4);
    f.found = ARENA_ARRAY(arena, int, count + 2);
    *first = (*steps)[0] = (MatchStep){ .variable = -1 };
    follow(&f, 0, true);
    set_next(arena, &f, first);
    follow(&f, 0, false);
    set_next(arena, &f, &(*steps)[0]);
    int64_t total = 0;
    for (int i = 0; i < count; i++) {
        const Op *op = &compiler.program.items[i];
        if (op->kind != OP_TAKE)
            continue;
        follow(&f, i + 1, false);
        total += f.found_count;
        if (total > NEXT_MAX)
            return error_at(ERR_BIND, pattern->at, "the pattern is too large: a row can be followed in more than %d ways", NEXT_MAX);
        MatchStep *step = &(*steps)[step_of[i]];
        *step = (MatchStep){ .variable = op->variable, .excluded = op->excluded };
        set_next(arena, &f, step);
    }
    return NULL;
}
