/* exec/checkpoint.h: snapshots of a whole job, and the sinks' part in them. Private to the room. */
#pragma once
#include "exec/job_internal.h"

/* Tests: snapshots the job, throws operators and sources away, and goes on from the snapshot. */
Error *checkpoint_replace_job(Job *job);
Error *checkpoint_flush_sinks(Job *job, bool in_passing); /* in_passing: those are left out that do it by themselves */
Error *checkpoint_close_sinks(Job *job, bool commit);
