import CIntrinsics

/// Bytes of one cache line on every machine we measure on.
let cacheLineBytes = 64

/// Starts loading the line at `address`; a hint without effect on results.
@inline(__always)
func prefetchLine(_ address: UnsafeRawPointer) {
    cintrinsics_prefetch_read(address)
}

/// How many rows before its turn what a row needs is loaded.
///
/// A processor has a dozen or two loads from memory under way; what more is asked for is forgotten, and then waited for when it is
/// needed. So lines are not asked for all at once, but one after the other between pieces of work.
let prefetchDistance = 12
