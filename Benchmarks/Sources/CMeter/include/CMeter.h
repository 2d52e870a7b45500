/// Counts what does not depend on how busy the machine is.
///
/// Linking this target into an executable puts a counter in front of the memory allocator of the whole process, the
/// Swift runtime and every C and C++ library included.
#pragma once
#include <stdbool.h>
#include <stdint.h>

/// How often memory was asked for since the process began, on all threads; growing a block counts as well.
uint64_t meter_allocations(void);

/// Whether the process runs under Valgrind, which can count instructions.
bool meter_is_under_valgrind(void);

/// Callgrind counts from here on.
void meter_begin_instructions(void);

/// Callgrind stops counting, and keeps the sum for the next ``meter_write_instructions``.
void meter_end_instructions(void);

/// Callgrind writes the sum into a file of its own under a name, and begins again at 0.
void meter_write_instructions(const char *name);
