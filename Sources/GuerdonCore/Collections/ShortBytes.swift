/// Eight bytes from any address, least significant first.
@inline(__always)
func load8(_ address: UnsafeRawPointer) -> UInt64 {
    UInt64(littleEndian: address.loadUnaligned(as: UInt64.self))
}

@inline(__always)
private func load4(_ address: UnsafeRawPointer) -> UInt64 {
    UInt64(UInt32(littleEndian: address.loadUnaligned(as: UInt32.self)))
}

@inline(__always)
private func load2(_ address: UnsafeRawPointer) -> UInt64 {
    UInt64(UInt16(littleEndian: address.loadUnaligned(as: UInt16.self)))
}

/// One to eight bytes as a word; different bytes of the same `count` give different words.
@inline(__always)
func loadShort(_ address: UnsafeRawPointer, _ count: Int) -> UInt64 {
    if count >= 4 { return load4(address) | load4(address + (count &- 4)) &<< 32 }
    if count >= 2 { return load2(address) | load2(address + (count &- 2)) &<< 16 }
    return UInt64(address.load(as: UInt8.self))
}

/// Whether `count` bytes, at least one, are equal; by overlapping words, which beats `memcmp` on ids.
@inline(__always)
func equalBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
    if count <= 8 { return loadShort(a, count) == loadShort(b, count) }
    var difference = load8(a + (count &- 8)) ^ load8(b + (count &- 8))
    var offset = 0
    while offset < count &- 8 {
        difference |= load8(a + offset) ^ load8(b + offset)
        offset &+= 8
    }
    return difference == 0
}
