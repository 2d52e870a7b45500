/// What neighbouring actions of a batch usually share: written once, then only "the same again".
public struct ActionShape: Sendable, Hashable {
    public var workspace: Text = ""
    public var type: Text = ""
    /// Empty when the action names no currency.
    public var currency: Text = ""
    /// Counts the shapes of this run of bytes; 0 before the first.
    public var ordinal = 0

    public init() {}
}

/// Flag bits of an action's second byte.
enum ActionFlags {
    static let sameShape: UInt8 = 1
    static let value: UInt8 = 2
    static let at: UInt8 = 4
    static let atNanos: UInt8 = 8
    static let title: UInt8 = 16
    static let attributes: UInt8 = 32
}

/// One action in its bytes: fields point into the batch.
public struct ActionRecord {
    public var externalId: UnsafeRawBufferPointer
    public var performer: UnsafeRawBufferPointer
    /// Coefficient and scale of the value; scale -1 when there is none.
    public var valueCoefficient: Int64
    public var valueScale: Int8
    /// Nanoseconds since 1970; ``noTime`` when the command's time is meant.
    public var at: Int64
    /// `nil` base address when absent.
    public var title: UnsafeRawBufferPointer
    public var attributes: UnsafeRawBufferPointer

    /// Stands for "the time of the command" in ``at``.
    public static let noTime = Int64.min

    /// Reads the action at the source's position, which is at its tag; keeps `shape` up to date.
    @inline(__always)
    public init(_ source: inout ByteSource, shape: inout ActionShape) throws(MalformedBytes) {
        guard try source.byte() == CommandTag.action.rawValue else { throw MalformedBytes(offset: source.position) }
        let flags = try source.byte()
        externalId = try source.run()
        performer = try source.run()
        if flags & ActionFlags.sameShape == 0 {
            shape = try ActionRecord.newShape(&source, ordinal: shape.ordinal + 1)
        } else if shape.ordinal == 0 {
            throw MalformedBytes(offset: source.position)
        }
        if flags & ActionFlags.value != 0 {
            valueCoefficient = Int64(bitPattern: try source.varint())
            let scale = try source.byte()
            guard scale <= UInt8(Limits.decimalScale) else { throw MalformedBytes(offset: source.position) }
            valueScale = Int8(scale)
        } else {
            valueCoefficient = 0
            valueScale = -1
        }
        if flags & ActionFlags.at != 0 {
            let seconds = try source.signed()
            let nanos = flags & ActionFlags.atNanos != 0 ? try source.varint() : 0
            guard seconds.magnitude < 9_223_372_036, nanos < 1_000_000_000 else {
                throw MalformedBytes(offset: source.position)
            }
            at = seconds * 1_000_000_000 + Int64(nanos)
        } else {
            at = ActionRecord.noTime
        }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        title = flags & ActionFlags.title != 0 ? try source.run() : none
        attributes = flags & ActionFlags.attributes != 0 ? try source.run() : none
    }

    @inline(never)
    private static func newShape(_ source: inout ByteSource, ordinal: Int) throws(MalformedBytes) -> ActionShape {
        var shape = ActionShape()
        shape.workspace = try source.text()
        shape.type = try source.text()
        shape.currency = try source.text()
        shape.ordinal = ordinal
        return shape
    }

    /// The value as written.
    public var value: DecimalNumber? {
        valueScale < 0 ? nil : DecimalNumber(coefficient: valueCoefficient, scale: UInt8(valueScale))
    }

    /// The action as a command of its own.
    public func command(shape: ActionShape) throws(MalformedBytes) -> ActionCommand {
        var source = ByteSource(attributes)
        return ActionCommand(
            workspace: shape.workspace, externalId: Text(copying: externalId), performer: Text(copying: performer),
            type: shape.type, value: value, currency: shape.currency.isEmpty ? nil : shape.currency,
            at: at == ActionRecord.noTime ? nil : at,
            title: title.baseAddress == nil ? nil : Text(copying: title),
            attributes: attributes.isEmpty ? [] : try CommandCoding.attributes(&source, depth: 0))
    }
}
