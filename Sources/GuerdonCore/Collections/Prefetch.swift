import CIntrinsics

/// Bytes of one cache line on every machine we measure on.
let cacheLineBytes = 64

/// Starts loading the line at `address`; a hint without effect on results.
@inline(__always)
func prefetchLine(_ address: UnsafeRawPointer) {
    cintrinsics_prefetch_read(address)
}
