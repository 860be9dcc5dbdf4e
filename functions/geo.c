/* functions/geo.c: distances, and Azure Stream Analytics' geometries, which are records as GeoJSON writes them. */
#include "functions/geometry.h"

#define RESULT(out, CType) ((CType *)(out)->values)
#define ARENA(args) ((args)->evaluation->arena)

/* ---- ksqlDB's distance ---- */

/* The radius of the earth in the unit; 0: it is none. */
static double radius_in(const Str *unit)
{
    static const char *const km[] = { "KM", "KILOMETER", "KILOMETERS", NULL }, *const miles[] = { "MI", "MILE", "MILES", NULL };
    char text[16];
    if (unit->length >= sizeof text)
        return 0;
    memcpy(text, str_bytes(unit), unit->length);
    text[unit->length] = 0;
    for (int i = 0; km[i]; i++)
        if (name_equal(km[i], text))
            return EARTH_RADIUS_KM;
    for (int i = 0; miles[i]; i++)
        if (name_equal(miles[i], text))
            return 3959;
    return 0;
}

static Error *geo_distance(const Args *args, Vector *out)
{
    for (ARGS_EACH(args, row)) {
        bool null = false;
        for (int i = 0; i < 4; i++)
            null |= vector_is_null(args->arg[i], row);
        if (null) {
            args_null(args, out, row);
            continue;
        }
        Point a = { ARG(args, 1, double, row), ARG(args, 0, double, row) }, b = { ARG(args, 3, double, row), ARG(args, 2, double, row) };
        double radius = args->arg_count > 4 && !vector_is_null(args->arg[4], row) ? radius_in(&ARG(args, 4, Str, row)) : EARTH_RADIUS_KM;
        bool fine = a.latitude >= -90 && a.latitude <= 90 && b.latitude >= -90 && b.latitude <= 90 && a.longitude >= -180 && a.longitude <= 180 &&
                    b.longitude >= -180 && b.longitude <= 180;
        if (!fine)
            args_fail(args, out, row, "a longitude is beyond 180 or a latitude beyond 90 degrees");
        else if (radius == 0)
            args_fail(args, out, row, "the unit must be 'KM' or 'MI'");
        else
            RESULT(out, double)[row] = point_distance_km(a, b, radius);
    }
    return NULL;
}

/* ---- making geometries ---- */

static Value pair(Point point, const Type *type, Value numbers[2])
{
    numbers[0] = (Value){ .type = type->children[0], .number = point.longitude };
    numbers[1] = (Value){ .type = type->children[0], .number = point.latitude };
    return (Value){ .type = type, .nested = { numbers, 2 } };
}

static void put(const Args *args, Vector *out, uint32_t row, const char *kind, const Value *coordinates)
{
    const Type *type = args->result_type;
    Value fields[2] = { { .type = type->children[0], .text = str_c(kind) } }, value = { .type = type, .is_null = !coordinates, .nested = { fields, 2 } };
    if (coordinates)
        fields[1] = *coordinates;
    vector_set(ARENA(args), out, row, &value);
}

/* Rows of nested vectors are set in order, live or not. */
static bool next_live(const Args *args, uint32_t *next, uint32_t row)
{
    bool live = *next < args->live.count && selection_row(&args->live, *next) == row;
    *next += live;
    return live;
}

static Error *create_point(const Args *args, Vector *out)
{
    Value numbers[2];
    uint32_t next = 0;
    for (uint32_t row = 0; row < args->row_count; row++) {
        if (!next_live(args, &next, row)) {
            put(args, out, row, "", NULL);
            continue;
        }
        Point point = { ARG(args, 1, double, row), ARG(args, 0, double, row) };
        bool fine = point.longitude >= -180 && point.longitude <= 180 && point.latitude >= -90 && point.latitude <= 90;
        Value coordinates = pair(point, args->result_type->children[1], numbers);
        put(args, out, row, "Point", fine ? &coordinates : NULL);
        if (!fine)
            args_fail(args, out, row, "a longitude is beyond 180 or a latitude beyond 90 degrees");
    }
    return NULL;
}

static const char *read_geometry(const Args *args, int n, uint32_t row, Geometry *geometry)
{
    const Vector *arg = args->arg[n];
    return arg->type->kind == TYPE_VARCHAR ? geometry_from_text(ARENA(args), &ARG(args, n, Str, row), geometry) : geometry_from_struct(ARENA(args), arg, row, geometry);
}

/* The points of all arguments; why not, otherwise. */
static const char *read_points(const Args *args, uint32_t row, Point *points)
{
    for (int i = 0; i < args->arg_count; i++) {
        Geometry geometry;
        const char *reason = read_geometry(args, i, row, &geometry);
        if (!reason && geometry.kind != GEOMETRY_POINT)
            reason = "lines and polygons are made of points";
        if (reason)
            return reason;
        points[i] = geometry.points[0];
    }
    return NULL;
}

static Error *create_of_points(const Args *args, Vector *out, bool polygon)
{
    const Type *type = args->result_type->children[1], *list_type = polygon ? type->children[0] : type;
    uint32_t count = (uint32_t)args->arg_count, next = 0;
    Point *points = ARENA_ARRAY(ARENA(args), Point, count);
    Value *pairs = ARENA_ARRAY(ARENA(args), Value, count), *numbers = ARENA_ARRAY(ARENA(args), Value, 2 * count);
    for (uint32_t row = 0; row < args->row_count; row++) {
        bool live = next_live(args, &next, row);
        const char *reason = live ? read_points(args, row, points) : NULL;
        if (live && !reason && polygon && (points[0].longitude != points[count - 1].longitude || points[0].latitude != points[count - 1].latitude))
            reason = "the last point of a polygon must be the first";
        if (!live || reason) {
            put(args, out, row, "", NULL);
            if (reason)
                args_fail(args, out, row, "%s", reason);
            continue;
        }
        for (uint32_t i = 0; i < count; i++)
            pairs[i] = pair(points[i], list_type->children[0], &numbers[2 * i]);
        Value ring = { .type = list_type, .nested = { pairs, count } }, rings = { .type = type, .nested = { &ring, 1 } };
        put(args, out, row, polygon ? "Polygon" : "LineString", polygon ? &rings : &ring);
    }
    return NULL;
}
static Error *create_line(const Args *args, Vector *out) { return create_of_points(args, out, false); }
static Error *create_polygon(const Args *args, Vector *out) { return create_of_points(args, out, true); }

/* ---- comparing them ---- */

/* A geometry that is the same for all rows is read once. */
typedef struct Side {
    Geometry geometry;
    const char *reason;
    bool known;
} Side;

static const Geometry *side_at(const Args *args, Vector *out, int n, uint32_t row, Side *side)
{
    if (!side->known)
        side->reason = read_geometry(args, n, row, &side->geometry);
    side->known = args->arg[n]->encoding == VECTOR_CONSTANT;
    if (!side->reason)
        return &side->geometry;
    args_fail(args, out, row, "%s", side->reason);
    return NULL;
}

typedef enum Relation { RELATION_WITHIN, RELATION_OVERLAPS, RELATION_INTERSECTS, RELATION_DISTANCE } Relation;

static Error *relate(const Args *args, Vector *out, Relation relation)
{
    Side sides[2] = { 0 };
    for (ARGS_EACH(args, row)) {
        const Geometry *a = side_at(args, out, 0, row, &sides[0]), *b = a ? side_at(args, out, 1, row, &sides[1]) : NULL;
        if (!b)
            continue;
        if ((uint64_t)a->point_count * b->point_count > GEOMETRY_STEPS_MAX) {
            args_fail(args, out, row, "the geometries have too many points: %u and %u", a->point_count, b->point_count);
            continue;
        }
        switch (relation) {
        case RELATION_WITHIN: RESULT(out, int64_t)[row] = geometry_within(a, b); break;
        case RELATION_OVERLAPS: RESULT(out, int64_t)[row] = geometry_overlaps(a, b); break;
        case RELATION_INTERSECTS: RESULT(out, int64_t)[row] = geometry_intersects(a, b); break;
        case RELATION_DISTANCE: RESULT(out, double)[row] = geometry_distance_km(a, b) * 1000; break;
        }
    }
    return NULL;
}
static Error *st_within(const Args *args, Vector *out) { return relate(args, out, RELATION_WITHIN); }
static Error *st_overlaps(const Args *args, Vector *out) { return relate(args, out, RELATION_OVERLAPS); }
static Error *st_intersects(const Args *args, Vector *out) { return relate(args, out, RELATION_INTERSECTS); }
static Error *st_distance(const Args *args, Vector *out) { return relate(args, out, RELATION_DISTANCE); }

/* ---- types ---- */

static const Type *record_of(Arena *arena, int depth)
{
    static const char *const names[] = { "type", "coordinates" };
    const Type *coordinates = type_scalar(TYPE_DOUBLE);
    for (int i = 0; i < depth; i++)
        coordinates = type_array(arena, coordinates);
    return type_struct(arena, 2, names, (const Type *const[]){ type_scalar(TYPE_VARCHAR), coordinates });
}

static bool all_fit(const Type *const types[], int count)
{
    for (int i = 0; i < count; i++)
        if (!geometry_type_fits(types[i]))
            return false;
    return true;
}

static const Type *type_of_point(Arena *arena, const Type *const types[], int count)
{
    (void)types, (void)count;
    return record_of(arena, 1);
}
static const Type *type_of_line(Arena *arena, const Type *const types[], int count) { return all_fit(types, count) ? record_of(arena, 2) : NULL; }
static const Type *type_of_polygon(Arena *arena, const Type *const types[], int count) { return all_fit(types, count) ? record_of(arena, 3) : NULL; }

static const Type *type_of_relation(Arena *arena, const Type *const types[], int count)
{
    (void)arena;
    return all_fit(types, count) ? type_scalar(TYPE_BIGINT) : NULL;
}

static const Type *type_of_distance(Arena *arena, const Type *const types[], int count)
{
    (void)arena;
    return all_fit(types, count) ? type_scalar(TYPE_DOUBLE) : NULL;
}

#define D TYPE_DOUBLE
#define G TYPE_ANY
#define GEO .can_fail = true, .category = "geospatial"

const ScalarFunction geo_functions[] = {
    { "geo_distance", { D, D, D, D }, D, geo_distance, GEO, .sees_nulls = true, .doc = "Kilometres between two points, each a latitude and a longitude.",
      .example = "round(geo_distance(37.4439, -122.1663, 51.5257, -0.1122), 2)", .yields = "8634.66" },
    { "geo_distance", { D, D, D, D, TYPE_VARCHAR }, D, geo_distance, GEO, .sees_nulls = true, .doc = "The same in a unit: 'KM' or 'MI'.",
      .example = "round(geo_distance(37.4439, -122.1663, 51.5257, -0.1122, 'MI'), 2)", .yields = "5365.66" },
    { "createpoint", { D, D }, G, create_point, type_of_point, GEO, .doc = "The point at a latitude and a longitude as a GeoJSON record (ASA).",
      .example = "createpoint(3.0, -10.2)", .yields = "{\"type\":\"Point\",\"coordinates\":[-10.2,3.0]}" },
    { "createlinestring", { G, G }, G, create_line, type_of_line, GEO, .variadic = true, .doc = "The line through points (ASA).",
      .example = "createlinestring(createpoint(3.0, -10.2), createpoint(10, 10.5))", .yields = "{\"type\":\"LineString\",\"coordinates\":[[-10.2,3.0],[10.5,10.0]]}" },
    { "createpolygon", { G, G, G, G }, G, create_polygon, type_of_polygon, GEO, .variadic = true, .doc = "The area inside points, the last of which is the first (ASA).",
      .example = "createpolygon(createpoint(0, 0), createpoint(0, 1), createpoint(1, 1), createpoint(0, 0))", .yields = "{\"type\":\"Polygon\",\"coordinates\":[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]}" },
    { "st_within", { G, G }, TYPE_BIGINT, st_within, type_of_relation, GEO, .doc = "1 when the first geometry lies within the second, whose edge belongs to it; else 0 (ASA).",
      .example = "st_within('POINT (15 15)', 'POLYGON ((10 10, 20 10, 20 20, 10 20, 10 10))')", .yields = "1" },
    { "st_overlaps", { G, G }, TYPE_BIGINT, st_overlaps, type_of_relation, GEO, .doc = "1 when two areas share an area, or two lines a stretch; else 0 (ASA).",
      .example = "st_overlaps('POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))', 'POLYGON ((1 1, 3 1, 3 3, 1 3, 1 1))')", .yields = "1" },
    { "st_intersects", { G, G }, TYPE_BIGINT, st_intersects, type_of_relation, GEO, .doc = "1 when two geometries have a point in common; else 0 (ASA).",
      .example = "st_intersects('LINESTRING (0 0, 2 2)', 'LINESTRING (0 2, 2 0)')", .yields = "1" },
    { "st_distance", { G, G }, D, st_distance, type_of_distance, GEO, .doc = "Metres between two geometries; 0 where they meet (ASA).",
      .example = "round(st_distance(createpoint(0, 0), createpoint(0, 1)))", .yields = "111195.0" },
    { .name = NULL },
};
