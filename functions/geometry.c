/* functions/geometry.c: points, lines and areas on the map. */
#include "functions/geometry.h"

#include <math.h>
#include <stdlib.h>
#include "common/decimal.h"
#include "functions/json_reader.h"
#include "functions/lists.h"

#define NEAR 1e-9 /* degrees */

/* ---- building ---- */

typedef struct Builder {
    Arena *arena;
    Geometry *geometry;
    uint32_t point_capacity, ring_capacity;
} Builder;

static const char *add_point(Builder *builder, double longitude, double latitude)
{
    Geometry *geometry = builder->geometry;
    if (!(longitude >= -180 && longitude <= 180 && latitude >= -90 && latitude <= 90))
        return "a longitude is beyond 180 or a latitude beyond 90 degrees";
    if (geometry->point_count == GEOMETRY_POINTS_MAX)
        return "more than 100000 points";
    if (geometry->point_count == builder->point_capacity) {
        builder->point_capacity = builder->point_capacity ? builder->point_capacity * 2 : 8;
        Point *points = arena_alloc(builder->arena, builder->point_capacity * sizeof *points);
        if (geometry->point_count)
            memcpy(points, geometry->points, geometry->point_count * sizeof *points);
        geometry->points = points;
    }
    geometry->points[geometry->point_count++] = (Point){ longitude, latitude };
    return NULL;
}

static void end_ring(Builder *builder)
{
    Geometry *geometry = builder->geometry;
    if (geometry->ring_count == builder->ring_capacity) {
        builder->ring_capacity = builder->ring_capacity ? builder->ring_capacity * 2 : 4;
        uint32_t *ends = arena_alloc(builder->arena, builder->ring_capacity * sizeof *ends);
        if (geometry->ring_count)
            memcpy(ends, geometry->ring_ends, geometry->ring_count * sizeof *ends);
        geometry->ring_ends = ends;
    }
    geometry->ring_ends[geometry->ring_count++] = geometry->point_count;
}

static uint32_t ring_start(const Geometry *geometry, uint32_t ring) { return ring ? geometry->ring_ends[ring - 1] : 0; }

static const char *check(const Geometry *geometry)
{
    if (geometry->kind == GEOMETRY_POINT)
        return geometry->point_count == 1 ? NULL : "a point needs a longitude and a latitude";
    if (geometry->kind == GEOMETRY_LINE)
        return geometry->point_count >= 2 ? NULL : "a line needs two points";
    for (uint32_t ring = 0; ring < geometry->ring_count; ring++) {
        uint32_t start = ring_start(geometry, ring), end = geometry->ring_ends[ring];
        if (end - start < 4)
            return "a polygon needs four points, the last of which is the first";
        Point first = geometry->points[start], last = geometry->points[end - 1];
        if (first.longitude != last.longitude || first.latitude != last.latitude)
            return "the last point of a polygon must be the first";
    }
    return geometry->ring_count ? NULL : "a polygon needs four points, the last of which is the first";
}

/* ---- WKT ---- */

typedef struct Reader {
    const char *at, *end;
    Builder builder;
} Reader;

static void skip_blanks(Reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' || *reader->at == '\r'))
        reader->at++;
}

static bool take(Reader *reader, char c)
{
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static bool take_number(Reader *reader, double *number)
{
    skip_blanks(reader);
    const char *start = reader->at;
    while (reader->at < reader->end && ((*reader->at >= '0' && *reader->at <= '9') || memchr("+-.eE", *reader->at, 5)))
        reader->at++;
    return reader->at > start && double_parse(start, (size_t)(reader->at - start), number);
}

static const char wkt_form[] = "a geometry is a GeoJSON or WKT: POINT (longitude latitude), LINESTRING (..), POLYGON ((..))";

/* (x y, x y, ..) */
static const char *take_points(Reader *reader)
{
    if (!take(reader, '('))
        return wkt_form;
    do {
        double longitude, latitude;
        if (!take_number(reader, &longitude) || !take_number(reader, &latitude))
            return wkt_form;
        const char *reason = add_point(&reader->builder, longitude, latitude);
        if (reason)
            return reason;
    } while (take(reader, ','));
    end_ring(&reader->builder);
    return take(reader, ')') ? NULL : wkt_form;
}

static const char *read_wkt(Reader *reader)
{
    static const char *const names[] = { "POINT", "LINESTRING", "POLYGON" };
    char word[16];
    size_t length = 0;
    skip_blanks(reader);
    for (; reader->at < reader->end && length < sizeof word - 1 && ((*reader->at | 0x20) >= 'a' && (*reader->at | 0x20) <= 'z'); reader->at++)
        word[length++] = *reader->at;
    word[length] = 0;
    Geometry *geometry = reader->builder.geometry;
    int kind = 0;
    while (kind < 3 && !name_equal(names[kind], word))
        kind++;
    if (kind == 3)
        return wkt_form;
    geometry->kind = (GeometryKind)kind;
    const char *reason = NULL;
    if (geometry->kind != GEOMETRY_POLYGON) {
        reason = take_points(reader);
    } else if (!take(reader, '(')) {
        reason = wkt_form;
    } else {
        do
            reason = take_points(reader);
        while (!reason && take(reader, ','));
        reason = reason ? reason : take(reader, ')') ? NULL : wkt_form;
    }
    skip_blanks(reader);
    return reason ? reason : reader->at == reader->end ? check(geometry) : wkt_form;
}

/* ---- GeoJSON ---- */

/* [x, y] or, some levels deeper, lists of them. What stands behind x and y (a height) does not count. */
static const char *read_json_points(Builder *builder, JsonSpan value, int depth)
{
    JsonSpan item;
    double number[2] = { 0, 0 };
    int count = 0;
    if (!json_is_array(value))
        return wkt_form;
    for (JsonWalk walk = json_walk(value); json_next(&walk, NULL, &item); count++) {
        if (depth > 1) {
            const char *reason = read_json_points(builder, item, depth - 1);
            if (reason)
                return reason;
        } else if (!json_is_number(item) || (count < 2 && !double_parse(item.at, (size_t)(item.end - item.at), &number[count]))) {
            return wkt_form;
        }
    }
    if (depth == 1)
        return count < 2 ? wkt_form : add_point(builder, number[0], number[1]);
    if (depth == 2)
        end_ring(builder);
    return NULL;
}

static const char *read_json(Builder *builder, const Str *text)
{
    static const struct { const char *name; GeometryKind kind; } kinds[] = { { "Point", GEOMETRY_POINT }, { "LineString", GEOMETRY_LINE }, { "Polygon", GEOMETRY_POLYGON } };
    JsonSpan value, key, item, type = { NULL, NULL }, coordinates = { NULL, NULL };
    bool whole;
    if (!json_span_read(text, &value, &whole) || !whole || !json_is_object(value))
        return wkt_form;
    for (JsonWalk walk = json_walk(value); json_next(&walk, &key, &item);) {
        if (json_span_is_text(key, "type", 4))
            type = item;
        else if (json_span_is_text(key, "coordinates", 11))
            coordinates = item;
    }
    for (size_t i = 0; type.at && json_is_string(type) && coordinates.at && i < 3; i++)
        if (json_span_is_text(type, kinds[i].name, strlen(kinds[i].name))) {
            builder->geometry->kind = kinds[i].kind;
            const char *reason = read_json_points(builder, coordinates, (int)kinds[i].kind + 1);
            if (kinds[i].kind == GEOMETRY_POINT)
                end_ring(builder);
            return reason ? reason : check(builder->geometry);
        }
    return wkt_form;
}

const char *geometry_from_text(Arena *arena, const Str *text, Geometry *geometry)
{
    *geometry = (Geometry){ 0 };
    Reader reader = { str_bytes(text), str_bytes(text) + text->length, { .arena = arena, .geometry = geometry } };
    skip_blanks(&reader);
    return reader.at < reader.end && *reader.at == '{' ? read_json(&reader.builder, text) : read_wkt(&reader);
}

/* ---- structs ---- */

static int depth_of(const Type *type)
{
    int depth = 0;
    for (; type->kind == TYPE_ARRAY; type = type->children[0])
        depth++;
    return type_is_numeric(type) && depth <= 3 ? depth : 0;
}

bool geometry_type_fits(const Type *type)
{
    if (type->kind == TYPE_VARCHAR || type->kind == TYPE_NULL)
        return true;
    int field = type->kind == TYPE_STRUCT ? type_field(type, "coordinates") : -1;
    return field >= 0 && depth_of(type->children[field]) > 0;
}

static double number_at(const Vector *vector, uint32_t row)
{
    switch (type_physical(vector->type)) {
    case PHYSICAL_DOUBLE: return ((const double *)vector->values)[row];
    case PHYSICAL_INT128: return decimal_to_double(((const Int128 *)vector->values)[row], scale_of(vector->type));
    default: return decimal_to_double(((const int64_t *)vector->values)[row], scale_of(vector->type));
    }
}

static const char *read_list_points(Builder *builder, const Vector *lists, uint32_t row, int depth)
{
    const Vector *elements = list_elements(lists);
    uint32_t at, end;
    if (vector_is_null(lists, row))
        return "a coordinate is NULL";
    list_bounds(lists, row, &at, &end);
    if (depth == 1) {
        if (end - at < 2 || vector_is_null(elements, at) || vector_is_null(elements, at + 1))
            return "a coordinate is NULL or missing";
        return add_point(builder, number_at(elements, at), number_at(elements, at + 1));
    }
    for (; at < end; at++) {
        const char *reason = read_list_points(builder, elements, at, depth - 1);
        if (reason)
            return reason;
    }
    if (depth == 2)
        end_ring(builder);
    return NULL;
}

const char *geometry_from_struct(Arena *arena, const Vector *structs, uint32_t row, Geometry *geometry)
{
    const Vector *coordinates = structs->children[type_field(structs->type, "coordinates")];
    int depth = depth_of(coordinates->type);
    *geometry = (Geometry){ .kind = (GeometryKind)(depth - 1) };
    Builder builder = { .arena = arena, .geometry = geometry };
    const char *reason = read_list_points(&builder, coordinates, row & vector_mask(structs), depth);
    if (geometry->kind == GEOMETRY_POINT)
        end_ring(&builder);
    return reason ? reason : check(geometry);
}

/* ---- points and segments ---- */

double point_distance_km(Point a, Point b, double radius)
{
    double degree = M_PI / 180, height = sin((b.latitude - a.latitude) * degree / 2), width = sin((b.longitude - a.longitude) * degree / 2);
    double h = height * height + cos(a.latitude * degree) * cos(b.latitude * degree) * width * width;
    return 2 * radius * asin(sqrt(h < 1 ? h : 1));
}

static double cross(Point a, Point b, Point c)
{
    return (b.longitude - a.longitude) * (c.latitude - a.latitude) - (b.latitude - a.latitude) * (c.longitude - a.longitude);
}

static Point between(Point a, Point b, double part)
{
    return (Point){ a.longitude + (b.longitude - a.longitude) * part, a.latitude + (b.latitude - a.latitude) * part };
}

/* Where on the segment (0 to 1) the point nearest to p lies, with degrees of longitude `scale` as long as those of latitude. */
static double nearest_part(Point a, Point b, Point p, double scale)
{
    double dx = (b.longitude - a.longitude) * scale, dy = b.latitude - a.latitude, length = dx * dx + dy * dy;
    double part = length > 0 ? ((p.longitude - a.longitude) * scale * dx + (p.latitude - a.latitude) * dy) / length : 0;
    return part < 0 ? 0 : part > 1 ? 1 : part;
}

static bool on_segment(Point a, Point b, Point p)
{
    if (p.longitude < fmin(a.longitude, b.longitude) - NEAR || p.longitude > fmax(a.longitude, b.longitude) + NEAR ||
        p.latitude < fmin(a.latitude, b.latitude) - NEAR || p.latitude > fmax(a.latitude, b.latitude) + NEAR)
        return false;
    Point nearest = between(a, b, nearest_part(a, b, p, 1));
    return fabs(nearest.longitude - p.longitude) <= NEAR && fabs(nearest.latitude - p.latitude) <= NEAR;
}

/* The segments cross at a point inside both: where, as a part of a-b; NAN: they do not. */
static double crossing(Point a, Point b, Point c, Point d)
{
    double side_c = cross(a, b, c), side_d = cross(a, b, d), side_a = cross(c, d, a), side_b = cross(c, d, b);
    if ((side_c > 0) == (side_d > 0) || (side_a > 0) == (side_b > 0) || side_c == 0 || side_d == 0 || side_a == 0 || side_b == 0)
        return NAN;
    return side_a / (side_a - side_b);
}

/* The segments of a geometry, one after the other; a point is one that ends where it begins. */
typedef struct Segments {
    const Geometry *geometry;
    uint32_t ring, at;
} Segments;

static bool next_segment(Segments *segments, Point *a, Point *b)
{
    const Geometry *geometry = segments->geometry;
    if (geometry->kind == GEOMETRY_POINT) {
        *a = *b = geometry->points[0];
        return segments->at++ == 0;
    }
    while (segments->ring < geometry->ring_count && segments->at + 1 >= geometry->ring_ends[segments->ring])
        segments->at = geometry->ring_ends[segments->ring++];
    if (segments->ring == geometry->ring_count)
        return false;
    *a = geometry->points[segments->at];
    *b = geometry->points[++segments->at];
    return true;
}

/* ---- a point and a geometry ---- */

static bool on_edge(const Geometry *geometry, Point p)
{
    Point a, b;
    for (Segments segments = { geometry, 0, 0 }; next_segment(&segments, &a, &b);)
        if (on_segment(a, b, p))
            return true;
    return false;
}

/* Inside the area; a point on its edge may be either. A ray to the east crosses the edges an odd number of times. */
static bool inside(const Geometry *polygon, Point p)
{
    Point a, b;
    bool odd = false;
    if (polygon->kind != GEOMETRY_POLYGON)
        return false;
    for (Segments segments = { polygon, 0, 0 }; next_segment(&segments, &a, &b);)
        if ((a.latitude > p.latitude) != (b.latitude > p.latitude))
            odd ^= p.longitude < a.longitude + (b.longitude - a.longitude) * (p.latitude - a.latitude) / (b.latitude - a.latitude);
    return odd;
}

static bool covers(const Geometry *geometry, Point p) { return on_edge(geometry, p) || inside(geometry, p); }
static bool strictly_inside(const Geometry *polygon, Point p) { return inside(polygon, p) && !on_edge(polygon, p); }

/* ---- two geometries ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Calls `test` with the middle of each piece into which the other geometry's edges cut the segments of `geometry`, and with its ends;
 * false as soon as it gives `stop`. */
typedef bool (*PointTest)(const Geometry *other, Point p);

static bool any_piece(const Geometry *geometry, const Geometry *other, PointTest test, bool wanted, bool ends_too)
{
    Point a, b, c, d;
    uint32_t room = 3 * other->point_count + 2;
    double *cuts = mem_alloc(room * sizeof *cuts);
    MEMORY_HOLD(mem_free, cuts);
    bool found = false;
    for (Segments segments = { geometry, 0, 0 }; !found && next_segment(&segments, &a, &b);) {
        uint32_t count = 0;
        cuts[count++] = 0;
        for (Segments others = { other, 0, 0 }; next_segment(&others, &c, &d);) {
            double cut = crossing(a, b, c, d);
            if (!isnan(cut))
                cuts[count++] = cut;
            if (on_segment(a, b, c))
                cuts[count++] = nearest_part(a, b, c, 1);
            if (others.geometry->kind != GEOMETRY_POLYGON && on_segment(a, b, d))
                cuts[count++] = nearest_part(a, b, d, 1);
        }
        cuts[count++] = 1;
        qsort(cuts, count, sizeof *cuts, by_value);
        found = ends_too && (test(other, a) == wanted || test(other, b) == wanted);
        for (uint32_t i = 1; i < count && !found; i++) {
            Point from = between(a, b, cuts[i - 1]), to = between(a, b, cuts[i]);
            if (fabs(to.longitude - from.longitude) > 2 * NEAR || fabs(to.latitude - from.latitude) > 2 * NEAR)
                found = test(other, between(from, to, 0.5)) == wanted;
        }
    }
    mem_free(cuts);
    return found;
}

/* A point strictly inside a ring that holds an area: in the middle of the first stretch of a line across it. */
static bool inner_point(const Geometry *polygon, uint32_t ring, Point *point)
{
    uint32_t start = ring_start(polygon, ring), end = polygon->ring_ends[ring];
    Geometry alone = { GEOMETRY_POLYGON, polygon->points + start, &(uint32_t){ end - start }, end - start, 1 };
    Point a, b;
    for (uint32_t i = 0; i + 1 < alone.point_count; i++) { /* between the latitudes of two neighbours */
        double latitude = (alone.points[i].latitude + alone.points[i + 1].latitude) / 2, least = INFINITY, second = INFINITY;
        if (fabs(alone.points[i].latitude - alone.points[i + 1].latitude) <= 2 * NEAR)
            continue;
        for (Segments segments = { &alone, 0, 0 }; next_segment(&segments, &a, &b);) {
            if ((a.latitude > latitude) == (b.latitude > latitude))
                continue;
            double longitude = a.longitude + (b.longitude - a.longitude) * (latitude - a.latitude) / (b.latitude - a.latitude);
            second = longitude < least ? least : longitude < second ? longitude : second;
            least = longitude < least ? longitude : least;
        }
        if (second - least > 4 * NEAR && isfinite(second)) {
            *point = (Point){ (least + second) / 2, latitude };
            return true;
        }
    }
    return false;
}

bool geometry_intersects(const Geometry *a, const Geometry *b)
{
    Point p, q, r, s;
    if (covers(a, b->points[0]) || covers(b, a->points[0]))
        return true;
    for (Segments segments = { a, 0, 0 }; next_segment(&segments, &p, &q);)
        for (Segments others = { b, 0, 0 }; next_segment(&others, &r, &s);)
            if (!isnan(crossing(p, q, r, s)) || on_segment(p, q, r) || on_segment(p, q, s) || on_segment(r, s, p) || on_segment(r, s, q))
                return true;
    return false;
}

bool geometry_within(const Geometry *a, const Geometry *b)
{
    if (a->kind == GEOMETRY_POINT)
        return covers(b, a->points[0]);
    if (b->kind == GEOMETRY_POINT || (a->kind == GEOMETRY_POLYGON && b->kind == GEOMETRY_LINE) || any_piece(a, b, covers, false, true))
        return false;
    Point hole;
    for (uint32_t ring = 1; a->kind == GEOMETRY_POLYGON && ring < b->ring_count; ring++) /* its edge is inside, and a hole of b may be, too */
        if (inner_point(b, ring, &hole) && inside(a, hole))
            return false;
    return true;
}

bool geometry_overlaps(const Geometry *a, const Geometry *b)
{
    Point inner;
    if (a->kind != b->kind || a->kind == GEOMETRY_POINT)
        return false;
    if (a->kind == GEOMETRY_LINE)
        return any_piece(a, b, on_edge, true, false);
    return any_piece(a, b, strictly_inside, true, false) || any_piece(b, a, strictly_inside, true, false) ||
           (inner_point(a, 0, &inner) && inside(a, inner) && strictly_inside(b, inner));
}

static double nearest_km(const Geometry *a, const Geometry *b, double best)
{
    Point p, q;
    for (uint32_t i = 0; i < a->point_count; i++) {
        double scale = cos(a->points[i].latitude * (M_PI / 180));
        for (Segments segments = { b, 0, 0 }; next_segment(&segments, &p, &q);)
            best = fmin(best, point_distance_km(a->points[i], between(p, q, nearest_part(p, q, a->points[i], scale)), EARTH_RADIUS_KM));
    }
    return best;
}

double geometry_distance_km(const Geometry *a, const Geometry *b)
{
    if (a->kind == GEOMETRY_POINT && b->kind == GEOMETRY_POINT)
        return point_distance_km(a->points[0], b->points[0], EARTH_RADIUS_KM);
    return geometry_intersects(a, b) ? 0 : nearest_km(b, a, nearest_km(a, b, INFINITY));
}
