import CSimdjson
import GuerdonCore

/// A line that was read as a plain request: fields of one operation, each there at most once, the needed ones all there.
/// What the fields hold is still to be checked.
struct PlainLine {
    let row: UnsafePointer<csj_row>
    /// The line.
    let bytes: UnsafeRawPointer
    /// The connection's acknowledgement mode.
    let ack: AckMode
    /// The connection's workspace.
    let workspace: UnsafeRawBufferPointer

    @inline(__always) func has(_ field: Int) -> Bool { row.pointee.present & (1 << UInt32(field)) != 0 }

    /// Whether a field stands without quotes.
    @inline(__always) func isNumber(_ field: Int) -> Bool { row.pointee.numbers & (1 << UInt32(field)) != 0 }

    /// The bytes of a field that is there; of a text without the quotes.
    @inline(__always) subscript(field: Int) -> UnsafeRawBufferPointer {
        let span = csj_field(row, Int32(field))
        return UnsafeRawBufferPointer(start: bytes + Int(span.start), count: Int(span.count))
    }

    /// The bytes of a field that is there and an id; `nil` for what is no id.
    @inline(__always) func id(_ field: Int) -> UnsafeRawBufferPointer? {
        let bytes = self[field]
        return bytes.count &- 1 < Limits.idBytes.upperBound && bytes.count > 0 ? bytes : nil
    }

    /// The workspace of the request, its own or the connection's; `nil` when it is no id.
    @inline(__always) var ownWorkspace: UnsafeRawBufferPointer? { has(CSJ_WORKSPACE) ? id(CSJ_WORKSPACE) : workspace }

    /// Appends the request's id, if it has one, as it stands; false when it is none.
    @inline(__always) func writeID(into ids: ByteSink) -> Bool {
        guard has(CSJ_ID) else { return true }
        return writeOwnID(into: ids)
    }

    @inline(never) private func writeOwnID(into ids: ByteSink) -> Bool {
        let id = self[CSJ_ID]
        if isNumber(CSJ_ID) {
            guard DecimalText.parse(id)?.scale == 0 else { return false }
            ids.write(id)
            return true
        }
        guard id.count <= RequestDecoder.requestIDBytes, let text = id.baseAddress else { return false }
        // With its quotes.
        ids.write(UnsafeRawBufferPointer(start: text - 1, count: id.count + 2))
        return true
    }
}

extension Requests {
    /// Appends the row of a plain line, whose id was written behind `idStart`.
    @inline(__always)
    func appendRow(
        _ line: PlainLine, kind: RequestRow.Kind, idStart: Int, cold: UInt32 = RequestRow.noCold
    ) {
        rows.append(
            RequestRow(
                idStart: UInt32(truncatingIfNeeded: idStart), idCount: UInt16(truncatingIfNeeded: ids.count - idStart),
                kind: kind, ack: line.ack, cold: cold, isCounted: kind == .command))
    }
}
