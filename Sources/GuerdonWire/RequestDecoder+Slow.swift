import CSimdjson
import GuerdonCore

extension RequestDecoder {
    /// Any line but a plain request: checks all of it, then decodes or refuses it.
    @inline(never)
    func decodeSlowly(_ line: UnsafeRawBufferPointer, _ defaults: inout ConnectionDefaults, _ requests: Requests) {
        // Whatever else is wrong with it: a line beyond the bound may have been cut by the reader.
        guard line.count <= lineBytes else {
            return refuse(RequestDecoder.tooLong(line.count, lineBytes), id: nil, requests, defaults)
        }
        guard let base = line.baseAddress else { return }
        var at = 0
        let fault = csj_parse(reader, base.assumingMemoryBound(to: UInt8.self), line.count, &at)
        guard fault == Int32(CSJ_OK), let tokens = csj_tokens(reader) else {
            let place = UInt(bitPattern: at) == UInt.max ? nil : at
            return refuse(JSONFault(code: Int(fault), line: line, at: place).refusal, id: nil, requests, defaults)
        }
        decode(Node(bytes: base, tokens: tokens, index: 0), &defaults, requests)
    }

    /// The refusal of a line of `count` bytes.
    static func tooLong(_ count: Int, _ limit: Int) -> Refusal {
        Refusal(.lineTooLong, "The line has \(count) bytes; at most \(limit) are taken. Send less in one request.")
    }

    private func decode(_ request: Node, _ defaults: inout ConnectionDefaults, _ requests: Requests) {
        guard request.kind == .object else {
            let refusal = Refusal(.badRequest, "A request is an object such as {\"op\":\"ping\"}.")
            return refuse(refusal, id: nil, requests, defaults)
        }
        let id = request.member("id")
        guard id.map(isRequestID) ?? true else {
            let refusal = Refusal(
                .badRequest, field: "id",
                "id: must be a string of at most \(RequestDecoder.requestIDBytes) bytes or a whole number.")
            return refuse(refusal, id: nil, requests, defaults)
        }
        var refusedOp: Node?
        do throws(Refusal) {
            guard let op = request.member("op"), op.kind == .string else {
                throw Refusal(.badRequest, field: "op", "op: missing; name the operation, as in {\"op\":\"ping\"}.")
            }
            refusedOp = op
            let workspace = try workspace(request) ?? defaults.workspace
            if let command = try CommandDecoding.command(op, request, workspace: workspace) {
                requests.commands.append(command)
                if defaults.ack == .detail { requests.commands.wantsLines = true }
                append(.command, cold: nil, id: id, requests, defaults)
            } else if let query = try ReadDecoding.query(op, request) {
                append(.read, cold: .read(ReadRequest(workspace: workspace, query)), id: id, requests, defaults)
            } else if let control = try ReadDecoding.control(op, request, workspace: workspace, defaults: defaults) {
                var ack = defaults.ack
                if case .hello(let hello) = control {
                    ack = hello.ack
                    defaults.awaited = hello
                    // Where the connection is already, it can stay.
                    if hello.workspace == defaults.workspace { defaults.settle(isAccepted: true) }
                }
                append(.control, cold: control, id: id, requests, defaults, ack: ack)
            } else {
                throw Refusal(
                    .unknownOp, field: "op",
                    "op: there is no operation \"\(op.text)\"; the protocol's documentation lists them.")
            }
        } catch {
            // Whether a refused line counts as a command is known from its op alone.
            let isCounted = !(refusedOp.map(RequestDecoder.isRead) ?? false)
            refuse(error, id: id, isCounted: isCounted, requests, defaults)
        }
    }

    private static func isRead(_ op: Node) -> Bool {
        let names: [StaticString] = [
            "member.get", "wallet", "statement", "upline", "downline", "board.top", "board.rank", "explain", "stats",
            "hello", "ping", "subscribe", "unsubscribe", "snapshot",
        ]
        return names.contains { op.isText($0) }
    }

    private func isRequestID(_ node: Node) -> Bool {
        switch node.kind {
        case .string: node.text.count <= RequestDecoder.requestIDBytes
        case .number: DecimalText.parse(node.raw)?.scale == 0
        default: false
        }
    }

    private func workspace(_ request: Node) throws(Refusal) -> Text? {
        guard let value = request.member("workspace"), !value.isNull else { return nil }
        guard value.kind == .string, Limits.idBytes.contains(value.text.count) else {
            throw Refusal(
                .badRequest, field: "workspace",
                "workspace: must be an id of 1 to \(Limits.idBytes.upperBound) bytes in quotes.")
        }
        return value.text
    }

    /// Appends a row for a line that is refused.
    func refuse(
        _ refusal: Refusal, id: Node?, isCounted: Bool = true, _ requests: Requests, _ defaults: ConnectionDefaults
    ) {
        append(.refused, cold: .refused(refusal), id: id, isCounted: isCounted, requests, defaults)
    }

    private func append(
        _ kind: RequestRow.Kind, cold: Request?, id: Node?, isCounted: Bool? = nil, _ requests: Requests,
        _ defaults: ConnectionDefaults, ack: AckMode? = nil
    ) {
        let start = requests.ids.count
        if let id {
            // Strings are echoed as they stood, quotes and escapes included.
            if id.kind == .string { requests.ids.write(UInt8(ascii: "\"")) }
            requests.ids.write(id.raw)
            if id.kind == .string { requests.ids.write(UInt8(ascii: "\"")) }
        }
        requests.rows.append(
            RequestRow(
                idStart: UInt32(start), idCount: UInt16(requests.ids.count - start), kind: kind,
                ack: ack ?? defaults.ack,
                cold: cold == nil ? RequestRow.noCold : UInt32(requests.cold.count),
                isCounted: isCounted ?? (kind == .command)))
        if let cold { requests.cold.append(cold) }
    }
}
