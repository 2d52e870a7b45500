// What a server used, its children included, from /proc.
#pragma once

namespace peers {

/// User and system time so far, in seconds.
double processorSeconds(int process);

/// Memory, where what processes share counts once, in bytes.
double memoryBytes(int process);

/// Waits until a server does next to nothing, at most so long; returns the seconds waited.
double waitUntilIdle(int process, double secondsMax);

}  // namespace peers
