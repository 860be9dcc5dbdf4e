/* planner/define_like.c: CREATE TABLE t (..) WITH (..) LIKE base (INCLUDING .. EXCLUDING .. OVERWRITING ..).
 *
 * What the base declares is put before what the statement declares, and the whole is defined as if it had been written so: later changes of the base change
 * nothing here. Unless it is said otherwise everything is included, and properties are overwritten. */
#include "planner/statement.h"

typedef enum LikePart { LIKE_CONSTRAINTS, LIKE_PARTITIONS, LIKE_GENERATED, LIKE_METADATA, LIKE_OPTIONS, LIKE_WATERMARKS, LIKE_PARTS } LikePart;
typedef enum LikeMode { LIKE_INCLUDING, LIKE_EXCLUDING, LIKE_OVERWRITING } LikeMode;

static const char *const part_names[] = { "CONSTRAINTS", "PARTITIONS", "GENERATED", "METADATA", "OPTIONS", "WATERMARKS" };
static const char *const mode_names[] = { "INCLUDING", "EXCLUDING", "OVERWRITING" };

static int find_word(const AstName *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (name_equal(words[i], word->text))
            return i;
    return -1;
}

static Error *read_modes(const AstNames *options, LikeMode modes[LIKE_PARTS])
{
    bool given[LIKE_PARTS] = { false };
    for (int p = 0; p < LIKE_PARTS; p++)
        modes[p] = p == LIKE_OPTIONS ? LIKE_OVERWRITING : LIKE_INCLUDING;
    for (int i = 0; i + 1 < options->count; i += 2) {
        const AstName *word = &options->items[i], *what = &options->items[i + 1];
        const int mode = find_word(word, mode_names, 3), part = find_word(what, part_names, LIKE_PARTS);
        const bool all = name_equal(what->text, "ALL");
        if (mode < 0)
            return error_suggest(error_at(ERR_BIND, word->at, "expected INCLUDING, EXCLUDING or OVERWRITING, found '%s'", word->text), word->text, mode_names, 3);
        if (part < 0 && !all)
            return error_suggest(error_at(ERR_BIND, what->at, "expected ALL, CONSTRAINTS, PARTITIONS, GENERATED, METADATA, OPTIONS or WATERMARKS, found '%s'", what->text), what->text, part_names, LIKE_PARTS);
        if (mode == LIKE_OVERWRITING && (all || part == LIKE_CONSTRAINTS || part == LIKE_PARTITIONS))
            return error_at(ERR_BIND, what->at, "%s cannot be overwritten, only included or excluded", what->text);
        for (int p = 0; p < LIKE_PARTS; p++)
            if (all ? !given[p] : p == part)
                modes[p] = (LikeMode)mode;
        given[all ? 0 : part] |= !all;
    }
    return NULL;
}

typedef struct Like {
    Arena *arena;
    const AstCreate *base, *own;
    LikeMode modes[LIKE_PARTS];
    AstCreate *whole;
    Span at;                  /* stands for places in the base's text */
} Like;

static bool is_declared(const AstCreate *create, const AstName *name)
{
    for (int i = 0; i < create->columns.count; i++)
        if (name_equal(create->columns.items[i].name.text, name->text))
            return true;
    return false;
}

static Error *take_columns(Like *like)
{
    for (int i = 0; i < like->base->columns.count; i++) {
        AstColumn column = like->base->columns.items[i];
        const bool special = column.computed || column.is_metadata || column.is_headers;
        const LikeMode mode = !special ? LIKE_INCLUDING : like->modes[column.computed ? LIKE_GENERATED : LIKE_METADATA];
        const bool twice = is_declared(like->own, &column.name);
        if (mode == LIKE_EXCLUDING || (twice && mode == LIKE_OVERWRITING))
            continue;
        if (twice)
            return error_hint(error_at(ERR_BIND, like->at, "'%s' has a column '%s', too", like->own->like.text, column.name.text), special ? "LIKE %s (OVERWRITING %s)" : "a column of its own cannot be overwritten; LIKE is for more of them",
                              like->own->like.text, column.computed ? "GENERATED" : "METADATA");
        column.at = column.name.at = like->at;
        LIST_ADD(like->arena, &like->whole->columns, column);
    }
    for (int i = 0; i < like->own->columns.count; i++)
        LIST_ADD(like->arena, &like->whole->columns, like->own->columns.items[i]);
    return NULL;
}

static Error *take_constraints(Like *like)
{
    if (like->modes[LIKE_CONSTRAINTS] == LIKE_EXCLUDING) {
        for (int i = 0; i < like->base->columns.count; i++) /* the first columns are the base's */
            if (i < like->whole->columns.count)
                like->whole->columns.items[i].is_primary = false;
        return NULL;
    }
    if (!like->base->primary_key.count)
        return NULL;
    if (like->own->primary_key.count)
        return error_hint(error_at(ERR_BIND, like->own->primary_key.items[0].at, "'%s' has a primary key, too", like->own->like.text), "LIKE %s (EXCLUDING CONSTRAINTS)", like->own->like.text);
    like->whole->primary_key = like->base->primary_key;
    like->whole->not_enforced = like->base->not_enforced;
    return NULL;
}

static Error *take_watermark(Like *like)
{
    const LikeMode mode = like->modes[LIKE_WATERMARKS];
    if (!like->base->watermark || mode == LIKE_EXCLUDING || (like->own->watermark && mode == LIKE_OVERWRITING))
        return NULL;
    if (like->own->watermark)
        return error_hint(error_at(ERR_BIND, like->own->watermark_at, "'%s' has a watermark, too", like->own->like.text), "LIKE %s (OVERWRITING WATERMARKS)", like->own->like.text);
    like->whole->watermark_column = like->base->watermark_column;
    like->whole->watermark = like->base->watermark;
    like->whole->watermark_at = like->at;
    return NULL;
}

static const OptionEntry *find_property(const AstProperties *properties, const char *name)
{
    for (int i = 0; i < properties->count; i++)
        if (name_equal(properties->items[i].name, name))
            return &properties->items[i];
    return NULL;
}

static Error *take_properties(Like *like)
{
    const LikeMode mode = like->modes[LIKE_OPTIONS];
    for (int i = 0; i < like->base->with.count && mode != LIKE_EXCLUDING; i++) {
        OptionEntry entry = like->base->with.items[i];
        const OptionEntry *own = find_property(&like->own->with, entry.name);
        if (own && mode == LIKE_INCLUDING)
            return error_hint(error_at(ERR_BIND, own->name_at, "'%s' has the property '%s', too", like->own->like.text, entry.name), "LIKE %s (OVERWRITING OPTIONS)", like->own->like.text);
        entry.name_at = entry.value_at = like->at;
        if (!own)
            LIST_ADD(like->arena, &like->whole->with, entry);
    }
    for (int i = 0; i < like->own->with.count; i++)
        LIST_ADD(like->arena, &like->whole->with, like->own->with.items[i]);
    return NULL;
}

static Error *find_base(Planner *planner, const AstCreate *create, const AstCreate **base)
{
    CatalogEntry *entry = NULL;
    TRY(catalog_get(planner->catalog, &create->like, &entry));
    if (!entry->statement || entry->statement->kind != AST_STMT_CREATE_SOURCE)
        return error_hint(error_at(ERR_BIND, create->like.at, "'%s' is made by a query: it declares nothing that could be taken over", entry->name), "CREATE TABLE .. AS SELECT * FROM %s", entry->name);
    *base = entry->statement->create;
    if ((*base)->columns.count == 0 && create->columns.count)
        return error_at(ERR_BIND, create->columns.items[0].at, "the columns of '%s' are those of what it reads: none can be added", entry->name);
    return NULL;
}

Error *define_whole(Planner *planner, const AstStatement *statement, const AstStatement **whole)
{
    const AstCreate *create = statement->create;
    *whole = statement;
    if (!create->like.text)
        return NULL;
    Like like = { .arena = &planner->catalog->arena, .own = create, .at = create->like.at };
    TRY(find_base(planner, create, &like.base));
    TRY(read_modes(&create->like_options, like.modes));
    like.whole = arena_copy(like.arena, create, sizeof *create);
    like.whole->like = (AstName){ 0 };
    like.whole->like_options = (AstNames){ 0 };
    memset(&like.whole->columns, 0, sizeof like.whole->columns);
    memset(&like.whole->with, 0, sizeof like.whole->with);
    TRY(take_columns(&like));
    TRY(take_constraints(&like));
    TRY(take_watermark(&like));
    TRY(take_properties(&like));
    if (like.modes[LIKE_PARTITIONS] == LIKE_INCLUDING && like.base->partitioned_by.count) {
        if (create->partitioned_by.count)
            return error_hint(error_at(ERR_BIND, create->partitioned_by.items[0].at, "'%s' is partitioned, too", create->like.text), "LIKE %s (EXCLUDING PARTITIONS)", create->like.text);
        like.whole->partitioned_by = like.base->partitioned_by;
    }
    AstStatement *made = arena_copy(like.arena, statement, sizeof *statement);
    made->create = like.whole;
    *whole = made;
    return NULL;
}
