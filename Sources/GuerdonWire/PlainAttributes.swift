import CSimdjson
import GuerdonCore

/// Attributes without escapes on their way from tokens to the bytes of the log; nothing is allocated for them.
///
/// What is wrong with attributes is not told here, but by ``AttributeDecoding``.
struct PlainAttributes {
    /// The line.
    let bytes: UnsafeRawPointer
    let tokens: UnsafePointer<csj_token>
    /// Where the encoded attributes go.
    let out: ByteSink

    /// What `null` as a value of an object means.
    enum Nulls {
        /// Nothing: it is left out.
        case dropped
        /// That the key is to be removed.
        case kept
        /// It may not be.
        case refused
    }

    /// Encodes an object with its entries in the order of the keys' bytes; false when it may not be kept.
    func object(_ index: Int, topNulls nulls: Nulls) -> Bool {
        var count = 0
        var isSorted = true
        var next = index + 1
        var last = -1
        while next < Int(tokens[index].next) {
            guard tokens[next].count > 0 else { return false }
            if tokens[next + 1].kind == UInt32(CSJ_NULL) {
                guard nulls != .refused else { return false }
                if nulls == .kept { count += 1 }
            } else {
                count += 1
            }
            isSorted = isSorted && (last < 0 || order(last, next) < 0)
            last = next
            next = Int(tokens[next + 1].next)
        }
        out.writeVarint(UInt64(count))
        guard isSorted else { return sortedEntries(of: index, nulls) }
        next = index + 1
        while next < Int(tokens[index].next) {
            guard entry(next, nulls) else { return false }
            next = Int(tokens[next + 1].next)
        }
        return true
    }

    /// Encodes entries whose keys are not yet in order.
    @inline(never)
    private func sortedEntries(of index: Int, _ nulls: Nulls) -> Bool {
        let end = Int(tokens[index].next)
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: end - index) { keys in
            var count = 0
            var next = index + 1
            while next < end {
                keys.initializeElement(at: count, to: Int32(next))
                count += 1
                next = Int(tokens[next + 1].next)
            }
            var sorted = UnsafeMutableBufferPointer(rebasing: keys[..<count])
            sorted.sort { order(Int($0), Int($1)) < 0 }
            for i in 1..<count where order(Int(sorted[i - 1]), Int(sorted[i])) == 0 { return false }
            for key in sorted where !entry(Int(key), nulls) { return false }
            return true
        }
    }

    private func entry(_ key: Int, _ nulls: Nulls) -> Bool {
        if nulls == .dropped, tokens[key + 1].kind == UInt32(CSJ_NULL) { return true }
        text(key)
        return value(key + 1, mayBeNull: nulls == .kept)
    }

    private func value(_ index: Int, mayBeNull: Bool) -> Bool {
        switch Int(tokens[index].kind) {
        case CSJ_STRING:
            out.write(AttributeTag.string)
            text(index)
        case CSJ_NUMBER_TOKEN:
            guard let number = DecimalText.parse(run(index)) else { return false }
            out.write(number.scale == 0 ? AttributeTag.int : AttributeTag.decimal)
            out.writeSigned(number.coefficient)
            if number.scale > 0 { out.write(number.scale) }
        case CSJ_TRUE: out.write(AttributeTag.true)
        case CSJ_FALSE: out.write(AttributeTag.false)
        case CSJ_NULL:
            guard mayBeNull else { return false }
            out.write(AttributeTag.null)
        case CSJ_OBJECT:
            out.write(AttributeTag.map)
            return object(index, topNulls: .refused)
        case CSJ_ARRAY:
            out.write(AttributeTag.list)
            return list(index)
        default: return false
        }
        return true
    }

    private func list(_ index: Int) -> Bool {
        let end = Int(tokens[index].next)
        var count: UInt64 = 0
        var next = index + 1
        while next < end {
            count += 1
            next = Int(tokens[next].next)
        }
        out.writeVarint(count)
        next = index + 1
        while next < end {
            guard value(next, mayBeNull: false) else { return false }
            next = Int(tokens[next].next)
        }
        return true
    }

    private func text(_ index: Int) {
        out.writeVarint(UInt64(tokens[index].count))
        out.write(run(index))
    }

    private func run(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes + Int(tokens[index].start), count: Int(tokens[index].count))
    }

    /// Below, at or above 0 as the first text's bytes come before, are or come behind the second's.
    private func order(_ a: Int, _ b: Int) -> Int {
        let (first, second) = (run(a), run(b))
        for i in 0..<min(first.count, second.count) where first[i] != second[i] {
            return Int(first[i]) - Int(second[i])
        }
        return first.count - second.count
    }
}
