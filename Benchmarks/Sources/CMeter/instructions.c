#include "CMeter.h"

// The header comes with Valgrind. Its requests are a few instructions that do nothing outside of Valgrind.
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>

bool meter_is_under_valgrind(void) { return RUNNING_ON_VALGRIND != 0; }
void meter_begin_instructions(void) { CALLGRIND_START_INSTRUMENTATION; }
void meter_end_instructions(void) { CALLGRIND_STOP_INSTRUMENTATION; }
void meter_write_instructions(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }
#else
bool meter_is_under_valgrind(void) { return false; }
void meter_begin_instructions(void) {}
void meter_end_instructions(void) {}
void meter_write_instructions(const char *name) { (void)name; }
#endif
