/* tester/tester.h: `bidsql test PATH...`: runs files of statements and expectations. The room's door.
 *
 * Format: docs/testing.md. Every file runs in every mode of core section "all modes agree": as it is, in batches of one and two rows, with a
 * snapshot and restore at every turn boundary, with several threads, with rewrites off. */
#pragma once

/* Arguments behind `bidsql test`. Prints; returns the exit code. */
int tester_main(int argc, char **argv);
