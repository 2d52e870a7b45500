import CIntrinsics

/// Bytes of one cache line on every machine we measure on.
let cacheLineBytes = 64

/// Starts loading the line at `address`; a hint without effect on results.
@inline(__always)
func prefetchLine(_ address: UnsafeRawPointer) {
    cintrinsics_prefetch_read(address)
}

/// Starts loading every line of the `byteCount` bytes at `address`.
@inline(__always)
func prefetchLines(_ address: UnsafeRawPointer, byteCount: Int) {
    var offset = 0
    while offset < byteCount {
        cintrinsics_prefetch_read(address + offset)
        offset += cacheLineBytes
    }
}
