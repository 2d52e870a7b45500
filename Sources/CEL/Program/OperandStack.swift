/// The operands of one evaluation, in memory that the caller lends.
///
/// All access to that memory is here: every index is checked against the count, pushes against the capacity, and
/// what is left is destroyed with the stack.
struct OperandStack: ~Copyable {
    private let base: UnsafeMutablePointer<CELValue>
    private let capacity: Int
    private(set) var count = 0

    /// Lends uninitialized memory, which must outlive the stack.
    init(_ memory: UnsafeMutableBufferPointer<CELValue>) {
        guard let base = memory.baseAddress else { preconditionFailure("a stack needs memory") }
        self.base = base
        capacity = memory.count
    }

    deinit {
        base.deinitialize(count: count)
    }

    @inline(__always)
    mutating func push(_ value: consuming CELValue) {
        precondition(count < capacity)
        (base + count).initialize(to: value)
        count += 1
    }

    @inline(__always)
    mutating func pop() -> CELValue {
        precondition(count > 0)
        count -= 1
        return (base + count).move()
    }

    /// Takes the top if it is a truth value; nil and nothing taken otherwise.
    @inline(__always)
    mutating func popBool() -> Bool? {
        precondition(count > 0)
        guard case .bool(let flag) = base[count - 1] else { return nil }
        count -= 1
        (base + count).deinitialize(count: 1)
        return flag
    }

    @inline(__always)
    mutating func replaceTop(_ value: consuming CELValue) {
        precondition(count > 0)
        base[count - 1] = value
    }

    @inline(__always)
    subscript(place: Int) -> CELValue {
        _read {
            precondition(place >= 0 && place < count)
            yield base[place]
        }
        _modify {
            precondition(place >= 0 && place < count)
            yield &base[place]
        }
    }

    var top: CELValue {
        @inline(__always) _read {
            precondition(count > 0)
            yield base[count - 1]
        }
    }

    @inline(__always)
    mutating func truncate(to height: Int) {
        precondition(height >= 0 && height <= count)
        (base + height).deinitialize(count: count - height)
        count = height
    }

    /// Takes the topmost values, in the order they were pushed.
    mutating func popList(_ length: Int) -> [CELValue] {
        precondition(length >= 0 && length <= count)
        let values = Array(UnsafeBufferPointer(start: base + (count - length), count: length))
        truncate(to: count - length)
        return values
    }
}
