public import GuerdonCore

/// One line of a connection, decoded: what it is, and where the rest of it lies.
public struct RequestRow: BitwiseCopyable, Equatable, Sendable {
    /// What a line asks for.
    public enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// The next command of the batch.
        case command = 0
        /// A read; ``RequestRow/cold`` leads to it.
        case read = 1
        /// `hello`, `ping`, `subscribe`, `unsubscribe`; ``RequestRow/cold`` leads to it.
        case control = 2
        /// Refused while decoding; ``RequestRow/cold`` leads to the refusal.
        case refused = 3
        /// A frequent read or a `ping`; ``RequestRow/cold`` leads to it among ``Requests/plainReads``.
        case plainRead = 4
    }

    /// Where the request's id begins in ``Requests/ids``.
    public var idStart: UInt32
    /// Bytes of the id as JSON text; 0 when the request has none.
    public var idCount: UInt16
    /// What the line asks for.
    public var kind: Kind
    /// The connection's acknowledgement mode when the line was read.
    public var ack: AckMode
    /// Index into ``Requests/cold`` or ``Requests/plainReads``, or ``noCold``.
    public var cold: UInt32
    /// Whether the line counts as one of the connection's commands: all commands, and every line that was refused before
    /// it was known to be anything else.
    public var isCounted: Bool

    /// Stands for "nothing in ``Requests/cold``".
    public static let noCold = UInt32.max
}

/// Decoded lines: the commands ready for the log, a row for every line, and the rest of the lines that are no commands.
///
/// Reused from batch to batch, so that a busy server allocates nothing for it.
public final class Requests: @unchecked Sendable {
    // Sendable: owned by one stage at a time, together with its batch.

    /// The commands, one for each row of kind `command`, in the rows' order.
    public let commands: CommandBatch
    /// One row a line, in order.
    public let rows = RowList()
    /// The ids of the requests, as they stood on the wire.
    public let ids: ByteSink
    /// What rows point to with ``RequestRow/cold``.
    public var cold: [Request] = []
    /// The frequent reads.
    public let plainReads = Buffer<PlainRead>(capacity: 256)
    /// The names in them.
    let names = ByteSink(capacity: 1 << 14)

    /// Nothing decoded yet.
    public init(commands: CommandBatch = CommandBatch()) {
        self.commands = commands
        ids = ByteSink(capacity: 1 << 14)
    }

    deinit {
        ids.deallocate()
        rows.deallocate()
        plainReads.deallocate()
        names.deallocate()
    }

    /// The id of a row as JSON text; empty when it has none. Valid until more is decoded.
    public func id(of row: RequestRow) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: ids.bytes[Int(row.idStart)..<Int(row.idStart) + Int(row.idCount)])
    }

    /// What a row says beyond being a command.
    public func cold(of row: RequestRow) -> Request? {
        if row.kind == .plainRead { return request(of: plain(of: row)) }
        return row.cold == RequestRow.noCold ? nil : cold[Int(row.cold)]
    }

    /// Makes it empty again, with its commands, and keeps the memory.
    public func reset() {
        commands.reset()
        rows.removeAll()
        ids.removeAll()
        plainReads.removeAll()
        names.removeAll()
        cold.removeAll(keepingCapacity: true)
    }
}

/// The rows of a batch behind a handle: what an array in a class would cost per element, it does not.
@safe public struct RowList: @unchecked Sendable {
    // Sendable: a batch is owned by one stage at a time.
    private struct Header {
        var base: UnsafeMutablePointer<RequestRow>
        var count: Int
        var capacity: Int
    }
    private let header: UnsafeMutablePointer<Header>

    init(capacity: Int = 1024) {
        header = .allocate(capacity: 1)
        header.initialize(to: Header(base: .allocate(capacity: capacity), count: 0, capacity: capacity))
    }

    func deallocate() {
        header.pointee.base.deallocate()
        header.deallocate()
    }

    /// Number of rows.
    public var count: Int { header.pointee.count }
    /// All rows; valid until more is decoded.
    public var elements: UnsafeBufferPointer<RequestRow> {
        UnsafeBufferPointer(start: header.pointee.base, count: header.pointee.count)
    }
    /// The row at `index`, which must exist.
    public subscript(index: Int) -> RequestRow {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: header.pointee.count))
        return header.pointee.base[index]
    }

    @inline(never) private func grow() {
        let capacity = 2 * header.pointee.capacity
        let base = UnsafeMutablePointer<RequestRow>.allocate(capacity: capacity)
        base.update(from: header.pointee.base, count: header.pointee.count)
        header.pointee.base.deallocate()
        header.pointee.base = base
        header.pointee.capacity = capacity
    }

    @inline(__always) func append(_ row: RequestRow) {
        if header.pointee.count == header.pointee.capacity { grow() }
        header.pointee.base[header.pointee.count] = row
        header.pointee.count += 1
    }

    func removeAll() { header.pointee.count = 0 }
}
