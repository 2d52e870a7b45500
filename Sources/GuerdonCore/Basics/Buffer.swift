/// A growable array of plain values behind a handle: copies share the storage, the owner calls ``deallocate()`` once.
///
/// What an `Array` in a class would cost per element on the hot path (exclusivity, uniqueness, reference counts) it does
/// not; indexes are checked all the same.
@safe public struct Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
    // Sendable: one writer at a time; phases of a step are separated by barriers.
    private struct Header {
        var base: UnsafeMutablePointer<Element>
        var count: Int
        var capacity: Int
    }
    private let header: UnsafeMutablePointer<Header>

    /// An empty buffer.
    public init(capacity: Int = 64) {
        header = .allocate(capacity: 1)
        header.initialize(to: Header(base: .allocate(capacity: capacity), count: 0, capacity: capacity))
    }

    /// Frees the storage; no copy of the handle may be used afterwards.
    public func deallocate() {
        header.pointee.base.deallocate()
        header.deallocate()
    }

    /// Number of elements.
    @inline(__always) public var count: Int { header.pointee.count }
    /// Whether there are none.
    @inline(__always) public var isEmpty: Bool { header.pointee.count == 0 }
    /// The elements, valid until the next append.
    public var elements: UnsafeBufferPointer<Element> {
        UnsafeBufferPointer(start: header.pointee.base, count: header.pointee.count)
    }

    /// The element at `index`, which must exist.
    @inline(__always) public subscript(index: Int) -> Element {
        get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: header.pointee.count))
            return header.pointee.base[index]
        }
        nonmutating _modify {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: header.pointee.count))
            yield &header.pointee.base[index]
        }
    }

    @inline(never) private func grow(to capacity: Int) {
        let base = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        base.update(from: header.pointee.base, count: header.pointee.count)
        header.pointee.base.deallocate()
        header.pointee.base = base
        header.pointee.capacity = capacity
    }

    /// Appends one element; amortised O(1).
    @inline(__always) public func append(_ element: Element) {
        let count = header.pointee.count
        if count == header.pointee.capacity { grow(to: 2 * count + 16) }
        header.pointee.base[count] = element
        header.pointee.count = count + 1
    }

    /// Appends `count` elements that the caller sets at once, and gives their place; valid until the next append.
    @inline(__always) func extend(by count: Int) -> UnsafeMutablePointer<Element> {
        let old = header.pointee.count
        if old + count > header.pointee.capacity { grow(to: 2 * (old + count)) }
        header.pointee.count = old + count
        return header.pointee.base + old
    }

    /// Calls `body` with the place of every element in `range`, which must exist; the buffer must not grow meanwhile.
    ///
    /// One check for all of them, and elements larger than a word stay where they are.
    @inline(__always) func forEach(in range: Range<Int>, _ body: (UnsafeMutablePointer<Element>) -> Void) {
        precondition(range.lowerBound >= 0 && range.upperBound <= header.pointee.count)
        var place = header.pointee.base + range.lowerBound
        let end = header.pointee.base + range.upperBound
        while place < end {
            body(place)
            place += 1
        }
    }

    /// Where an element is, until the buffer grows.
    func address(of index: Int) -> UnsafeMutablePointer<Element> {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: header.pointee.count))
        return header.pointee.base + index
    }

    /// Appends all elements of another buffer.
    public func append(contentsOf other: UnsafeBufferPointer<Element>) {
        let count = header.pointee.count
        if count + other.count > header.pointee.capacity { grow(to: 2 * (count + other.count)) }
        if let from = other.baseAddress { (header.pointee.base + count).update(from: from, count: other.count) }
        header.pointee.count = count + other.count
    }

    /// Keeps the first `count` elements.
    @inline(__always) public func truncate(to count: Int) {
        precondition(count >= 0 && count <= header.pointee.count)
        header.pointee.count = count
    }

    /// Takes what another buffer holds, and gives it what this one holds; O(1).
    public func exchange(with other: Buffer<Element>) { swap(&header.pointee, &other.header.pointee) }

    /// Makes it empty and keeps the memory.
    @inline(__always) public func removeAll() { header.pointee.count = 0 }

    /// Appends `value` until there are `count` elements.
    public func grow(to count: Int, with value: Element) {
        while self.count < count { append(value) }
    }
}
