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

/// Writes actions, leaving out what the action before them in the same body already said.
public struct ActionEncoder: Sendable {
    private var shape: ActionShape?

    /// An encoder at the start of a body.
    public init() {}

    /// Starts a new body.
    public mutating func reset() { shape = nil }

    /// Appends an action.
    public mutating func encode(_ c: ActionCommand, into out: ByteSink) {
        let attributes = ByteSink(capacity: 64)
        defer { attributes.deallocate() }
        if !c.attributes.isEmpty { CommandCoding.encode(c.attributes, into: attributes) }
        c.workspace.bytes.withUnsafeBytes { workspace in
            c.type.bytes.withUnsafeBytes { type in
                (c.currency ?? "").bytes.withUnsafeBytes { currency in
                    c.externalId.bytes.withUnsafeBytes { externalId in
                        c.performer.bytes.withUnsafeBytes { performer in
                            (c.title ?? "").bytes.withUnsafeBytes { title in
                                encode(
                                    workspace: workspace, type: type, currency: currency, externalId: externalId,
                                    performer: performer, value: c.value, at: c.at,
                                    title: c.title == nil ? nil : title, attributes: attributes.bytes, into: out)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Appends an action from the bytes of its fields, without allocating.
    ///
    /// - Parameters:
    ///   - currency: empty when absent.
    ///   - attributes: encoded by ``CommandCoding``; empty when absent.
    @inline(__always)
    public mutating func encode(
        workspace: UnsafeRawBufferPointer, type: UnsafeRawBufferPointer, currency: UnsafeRawBufferPointer,
        externalId: UnsafeRawBufferPointer, performer: UnsafeRawBufferPointer, value: DecimalNumber?, at: Int64?,
        title: UnsafeRawBufferPointer?, attributes: UnsafeRawBufferPointer, into out: ByteSink
    ) {
        let same = isSame(workspace, type, currency)
        let seconds: Int64
        let nanos: Int64
        if let at {
            seconds = at >= 0 ? at / 1_000_000_000 : -((999_999_999 - at) / 1_000_000_000)
            nanos = at - seconds * 1_000_000_000
        } else {
            (seconds, nanos) = (0, 0)
        }
        var flags = same ? ActionFlags.sameShape : 0
        if value != nil { flags |= ActionFlags.value }
        if at != nil { flags |= ActionFlags.at }
        if nanos != 0 { flags |= ActionFlags.atNanos }
        if title != nil { flags |= ActionFlags.title }
        if !attributes.isEmpty { flags |= ActionFlags.attributes }
        out.write(CommandTag.action.rawValue)
        out.write(flags)
        out.writeVarint(UInt64(externalId.count))
        out.write(externalId)
        out.writeVarint(UInt64(performer.count))
        out.write(performer)
        if !same {
            for part in [workspace, type, currency] {
                out.writeVarint(UInt64(part.count))
                out.write(part)
            }
        }
        if let value {
            out.writeVarint(UInt64(bitPattern: value.coefficient))
            out.write(value.scale)
        }
        if at != nil { out.writeSigned(seconds) }
        if nanos != 0 { out.writeVarint(UInt64(nanos)) }
        if let title {
            out.writeVarint(UInt64(title.count))
            out.write(title)
        }
        if !attributes.isEmpty {
            out.writeVarint(UInt64(attributes.count))
            out.write(attributes)
        }
    }

    private mutating func isSame(
        _ workspace: UnsafeRawBufferPointer, _ type: UnsafeRawBufferPointer, _ currency: UnsafeRawBufferPointer
    ) -> Bool {
        if let shape, equal(shape.type, type), equal(shape.currency, currency), equal(shape.workspace, workspace) {
            return true
        }
        var new = ActionShape()
        new.workspace = Text(copying: workspace)
        new.type = Text(copying: type)
        new.currency = Text(copying: currency)
        shape = new
        return false
    }

    @inline(__always) private func equal(_ text: Text, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard text.bytes.count == bytes.count else { return false }
        for i in 0..<bytes.count where text.bytes[i] != bytes[i] { return false }
        return true
    }
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
