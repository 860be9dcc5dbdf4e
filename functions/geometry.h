/* functions/geometry.h: points, lines and areas on the map.
 *
 * Coordinates are degrees. Edges are straight lines between longitudes and latitudes, and no geometry goes across the date line; lengths
 * are measured on a sphere. Points nearer to each other than a tenth of a millimetre are one. */
#pragma once
#include "functions/functions_internal.h"

#define EARTH_RADIUS_KM 6371.0
#define GEOMETRY_POINTS_MAX 100000

typedef struct Point {
    double longitude, latitude;
} Point;

typedef enum GeometryKind { GEOMETRY_POINT, GEOMETRY_LINE, GEOMETRY_POLYGON } GeometryKind;

/* A polygon's rings lie one behind the other, each closed by its first point; the first is the outer one, the others are holes. */
typedef struct Geometry {
    GeometryKind kind;
    Point *points;
    uint32_t *ring_ends;   /* a point and a line are one ring */
    uint32_t point_count, ring_count;
} Geometry;

/* From WKT or GeoJSON; from a STRUCT with the coordinates of a GeoJSON. Otherwise why not. */
const char *geometry_from_text(Arena *arena, const Str *text, Geometry *geometry);
const char *geometry_from_struct(Arena *arena, const Vector *structs, uint32_t row, Geometry *geometry);
/* Whether values of the type can be geometries. */
bool geometry_type_fits(const Type *type);

double point_distance_km(Point a, Point b, double radius);
/* Compared pair by pair: what would take more than this many steps is refused. */
#define GEOMETRY_STEPS_MAX 10000000
double geometry_distance_km(const Geometry *a, const Geometry *b);
bool geometry_intersects(const Geometry *a, const Geometry *b);
bool geometry_within(const Geometry *a, const Geometry *b);   /* the edge of b belongs to it */
bool geometry_overlaps(const Geometry *a, const Geometry *b); /* areas share an area, lines a stretch */
