/// Text compared and hashed by its bytes.
///
/// `String`'s own equality is canonical equivalence ("é" equals "e" + accent), which CEL forbids.
struct UTF8Text: Hashable, Sendable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: UTF8Text, right: UTF8Text) -> Bool {
        equal(left.text, right.text)
    }

    func hash(into hasher: inout Hasher) {
        UTF8Text.withBytes(text) { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// The text's bytes, without copying where the standard library holds them contiguously (always, on Linux).
    @inline(__always)
    static func withBytes<Result>(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = text.utf8.withContiguousStorageIfAvailable(body) { return result }
        var copy = text
        return copy.withUTF8(body)
    }

    /// Whether both texts are the same sequence of code points.
    /// - Complexity: O(1) for different lengths, else O(n).
    @inline(__always)
    static func equal(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return withBytes(left) { leftBytes in
            withBytes(right) { rightBytes in Octets.equal(leftBytes, rightBytes) }
        }
    }

    /// Negative, zero or positive as `left` is before, the same as or after `right` in code point order.
    ///
    /// UTF-8 keeps the order of code points, so bytes decide.
    static func compare(_ left: String, _ right: String) -> Int {
        withBytes(left) { leftBytes in
            withBytes(right) { rightBytes in Octets.compare(leftBytes, rightBytes) }
        }
    }
}

/// Comparisons and searches over bytes.
enum Octets {
    /// - Precondition: both have the same count.
    @inline(__always)
    static func equal(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        let count = left.count
        precondition(right.count == count)
        guard count > 0, let leftBase = UnsafeRawPointer(left.baseAddress),
            let rightBase = UnsafeRawPointer(right.baseAddress)
        else { return true }
        var offset = 0
        // Eight bytes at a time; every load stays inside `count`, which both buffers share.
        while offset + 8 <= count {
            let leftWord = leftBase.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if leftWord != rightBase.loadUnaligned(fromByteOffset: offset, as: UInt64.self) { return false }
            offset += 8
        }
        while offset < count {
            if left[offset] != right[offset] { return false }
            offset += 1
        }
        return true
    }

    static func compare(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Int {
        let shared = min(left.count, right.count)
        var offset = 0
        while offset < shared {
            if left[offset] != right[offset] { return left[offset] < right[offset] ? -1 : 1 }
            offset += 1
        }
        return left.count - right.count
    }

    /// Whether `needle` occurs in `hay`; `work` grows by the bytes that were looked at.
    static func contains(_ hay: UnsafeBufferPointer<UInt8>, _ needle: UnsafeBufferPointer<UInt8>, work: inout Int)
        -> Bool
    {
        guard let first = needle.first else { return true }
        var start = 0
        while start + needle.count <= hay.count {
            work &+= 1  // bounded by the product of two buffer sizes that fit in memory
            if hay[start] == first {
                var matched = 1
                while matched < needle.count, hay[start + matched] == needle[matched] { matched += 1 }
                work &+= matched
                if matched == needle.count { return true }
            }
            start += 1
        }
        return false
    }
}
