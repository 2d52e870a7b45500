import CSimdjson
import GuerdonCore

extension RequestDecoder {
    /// Appends a plain action; false when something about it is wrong and must be looked at slowly.
    @inline(__always)
    func appendPlain(
        _ row: UnsafePointer<csj_row>, _ base: UnsafeRawPointer, _ workspace: UnsafeRawBufferPointer, _ ack: AckMode,
        _ actions: inout ActionEncoder, _ requests: Requests
    ) -> Bool {
        let present = row.pointee.present
        @inline(__always) func has(_ field: UInt32) -> Bool { present & (1 << field) != 0 }
        @inline(__always) func run(_ span: csj_span) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: base + Int(span.start), count: Int(span.count))
        }
        @inline(__always) func isID(_ run: UnsafeRawBufferPointer) -> Bool { run.count &- 1 < 128 && run.count > 0 }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let fields = row.pointee.fields
        let externalId = run(fields.3)
        let performer = run(fields.4)
        let type = run(fields.5)
        guard Int(row.pointee.count) <= lineBytes, isID(externalId), isID(performer), isID(type) else { return false }
        var value: DecimalNumber?
        var currency = none
        if has(UInt32(CSJ_VALUE_FIELD)) {
            guard let number = DecimalText.parse(run(fields.6)) else { return false }
            value = number
            if has(UInt32(CSJ_CURRENCY)) {
                currency = run(fields.7)
                guard isID(currency) else { return false }
            }
        } else if has(UInt32(CSJ_CURRENCY)) {
            return false
        }
        var at: Int64?
        if has(UInt32(CSJ_AT)) {
            guard let time = TimeText.time(run(fields.8)) else { return false }
            at = time
        }
        var title: UnsafeRawBufferPointer?
        if has(UInt32(CSJ_TITLE)) {
            title = run(fields.9)
            guard fields.9.count <= UInt32(Limits.textBytes) else { return false }
        }
        if has(UInt32(CSJ_ATTRIBUTES)) {
            guard gatherAttributes(row, base) else { return false }
        } else {
            attributes.removeAll()
        }
        var workspace = workspace
        if has(UInt32(CSJ_WORKSPACE)) {
            workspace = run(fields.2)
            guard isID(workspace) else { return false }
        }
        let idStart = requests.ids.count
        if has(UInt32(CSJ_ID)) {
            let id = run(fields.1)
            if present & UInt32(CSJ_ID_IS_NUMBER) != 0 {
                guard let number = DecimalText.parse(id), number.scale == 0 else { return false }
                requests.ids.write(id)
            } else {
                guard id.count <= RequestDecoder.requestIDBytes else { return false }
                // With its quotes.
                requests.ids.write(UnsafeRawBufferPointer(start: base + Int(fields.1.start) - 1, count: id.count + 2))
            }
        }
        actions.encode(
            workspace: workspace, type: type, currency: currency, externalId: externalId, performer: performer,
            value: value, at: at, title: title, attributes: attributes.bytes, into: requests.commands.body)
        requests.rows.append(
            RequestRow(
                idStart: UInt32(truncatingIfNeeded: idStart),
                idCount: UInt16(truncatingIfNeeded: requests.ids.count - idStart), kind: .command, ack: ack,
                cold: RequestRow.noCold, isCounted: true))
        return true
    }

    /// Encodes the attributes of a row; false when something about them is wrong.
    @inline(never)
    private func gatherAttributes(_ row: UnsafePointer<csj_row>, _ base: UnsafeRawPointer) -> Bool {
        let span = row.pointee.fields.10
        guard span.count <= UInt32(Limits.attributesBytes) else { return false }
        let end = Int(span.start) + Int(span.count)
        let first = row.pointee.attributes
        tokens.reserve(csj_structurals(parser, first, end))
        var written = 0
        var at = 0
        // The request around them is one level.
        let depth = UInt32(Limits.nesting - 1)
        guard csj_tokens(parser, first, end, depth, tokens.base, &written, &at) == Int32(CSJ_OK) else { return false }
        let object = Node(bytes: base, tokens: tokens.base, index: 0)
        guard var entries = try? AttributeDecoding().entries(of: object, path: nil) else { return false }
        if entries.contains(where: { $0.value == .null }) { entries.removeAll { $0.value == .null } }
        attributes.removeAll()
        if !entries.isEmpty { CommandCoding.encode(entries, into: attributes) }
        return true
    }
}
