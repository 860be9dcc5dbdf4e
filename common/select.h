/* common/select.h: the k-th smallest of some numbers, without putting the others in order. */
#pragma once
#include <stddef.h>

/* Puts the k-th smallest value (from 0) at its place, smaller ones before it, larger ones behind; returns it. NaN is the largest. Linear time on average. */
double select_kth(double *values, size_t count, size_t k);
