/// One action of a step: what was read from its bytes and found out about it.
struct ActionRow: BitwiseCopyable {
    private let externalIdStart: UnsafeRawPointer?
    private let performerStart: UnsafeRawPointer?
    private let titleStart: UnsafeRawPointer?
    private let attributesStart: UnsafeRawPointer?
    private let titleCount: UInt32
    private let attributesCount: UInt32
    /// The value in units of the shape's scale; meaningless without ``hasValue``.
    var units: Int64 = 0
    /// When it happened; the time of the command where none was given.
    var at: Int64 = 0
    var sequence: UInt64 = 0
    /// What stands for the external id in the table.
    var key = ExternalIdKey(high: 0, low: 0)
    var memberHash: UInt64 = 0
    /// Digest of everything the action says, to tell a repetition from a conflict.
    var content: UInt64 = 0
    /// The first one's log position, for a repetition.
    var first: UInt64 = 0
    /// Index of the command in its batch.
    var command: UInt32 = 0
    /// Index into the step's shapes.
    var shape: UInt32 = 0
    var member: UInt32 = 0
    /// Local date, where boards want it.
    var day: Int32 = 0
    // Ids have at most 128 bytes.
    private let externalIdCount: UInt8
    private let performerCount: UInt8
    /// Levels of the performer's upline that were climbed, see ``Uplines``.
    var depth: UInt8 = 0
    var hasValue = false
    var state = State.open

    @inline(__always)
    init(_ record: ActionRecord) {
        externalIdStart = record.externalId.baseAddress
        performerStart = record.performer.baseAddress
        titleStart = record.title.baseAddress
        attributesStart = record.attributes.baseAddress
        titleCount = UInt32(truncatingIfNeeded: record.title.count)
        attributesCount = UInt32(truncatingIfNeeded: record.attributes.count)
        precondition(record.externalId.count <= BitHash.byteLimit && record.performer.count <= BitHash.byteLimit)
        externalIdCount = UInt8(truncatingIfNeeded: record.externalId.count)
        performerCount = UInt8(truncatingIfNeeded: record.performer.count)
    }

    @inline(__always) var externalId: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: externalIdStart, count: Int(externalIdCount))
    }
    @inline(__always) var performer: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: performerStart, count: Int(performerCount))
    }
    /// `nil` base address when absent.
    @inline(__always) var title: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: titleStart, count: Int(titleCount))
    }
    @inline(__always) var attributes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: attributesStart, count: Int(attributesCount))
    }

    enum State: UInt8, BitwiseCopyable {
        /// To be evaluated.
        case open
        case duplicate
        case conflict
        case unknownMember
        case refusedShape
        case badScale
    }

    /// Units for formulas.
    @inline(__always) var value: Int64? { hasValue ? units : nil }
}

/// A reward on its way to the shard of whoever gets it.
struct RewardMessage: BitwiseCopyable {
    var amount: Int64
    /// Index of the row in the step.
    var row: UInt32
    var member: UInt32
    /// Index into the workspace's rewards; for a failed condition see ``isConditionError``.
    var info: UInt32
    /// Place among the messages of its row.
    var order: UInt16
    var level: UInt8
    /// Not a reward: a condition failed; `info` is the plan version and `amount` the bonus.
    var isConditionError: Bool

    /// The order of the log.
    @inline(__always)
    func precedes(_ other: RewardMessage) -> Bool {
        row != other.row ? row < other.row : order < other.order
    }
}
