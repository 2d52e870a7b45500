/// Guerdon's whole meaning as a plain loop over the log: slow, short, and written apart from the engine.
///
/// ```swift
/// var model = Model()
/// let reply = model.handle(#"{"op":"member.put","member":"m1"}"#, at: 1_800_000_000_000_000_000)
/// // {"created":true,"ok":true,"referralCode":null,"seq":1}
/// ```
public struct Model {
    /// Decisions that the contract leaves open, so that the oracle can follow the engine.
    public struct Rules: Sendable {
        /// A refused plan is in the log, as every refusal that needs the state is.
        public var invalidPlanTakesSequence = true
        /// The longest line in bytes.
        public var lineBytesMax = 65_536

        /// The rules as written above.
        public init() {}
    }

    /// The last number that the log gave.
    public internal(set) var lastSequence = 0
    /// The time of the log: never decreasing, nanoseconds since the epoch.
    public internal(set) var now: Int64 = 0

    let rules: Rules
    /// In order of creation.
    var workspaces: [Workspace] = [Workspace(id: "main")]

    /// An empty world with the workspace `main`.
    public init(rules: Rules = Rules()) { self.rules = rules }

    /// Carries out one line at a time in nanoseconds since the epoch, and answers with the whole reply; `detail` is
    /// the acknowledgement mode of that name.
    ///
    /// `hello`, `ping` and subscriptions are the server's affair: their reply is left free.
    public mutating func handle(_ line: String, at time: Int64, ack detail: Bool = false) -> JSON {
        now = max(now, time)
        var id: JSON?
        do throws(Refusal) {
            let fields = try decode(line)
            id = try requestId(fields)
            let request = try Request(fields)
            var answer: [Text: JSON]
            switch request.body {
            case .server: answer = ["seq": .anything, "*": .anything]
            case .read(let read): answer = try self.answer(read, in: try workspaceNumber(request.workspace))
            case .command(let command):
                try checkPlan(command, in: request.workspace)
                expireDueLots()
                lastSequence += 1
                answer = try apply(command, in: request.workspace, detail: detail)
            }
            if answer["seq"] == nil { answer["seq"] = .int(lastSequence) }
            answer["ok"] = true
            answer["id"] = id
            return .object(answer)
        } catch {
            let fault: [Text: JSON?] = ["code": error.code, "message": .something, "field": error.field]
            let reply: [Text: JSON?] = [
                "ok": false, "error": .object(fault.compactMapValues { $0 }), "id": error.echoesId ? id : .anything,
            ]
            return .object(reply.compactMapValues { $0 })
        }
    }

    private func decode(_ line: String) throws(Refusal) -> Fields {
        guard line.utf8.count <= rules.lineBytesMax else {
            throw Refusal(codes: ["line_too_long"], echoesId: false)
        }
        let value: JSON
        do throws(JSONFault) {
            value = try JSONParser.parse(line)
        } catch {
            switch error {
            case .syntax: throw Refusal(codes: ["bad_json"], echoesId: false)
            case .duplicateKey: throw Refusal(codes: ["bad_json", "bad_request"], echoesId: false)
            case .tooDeep: throw Refusal(codes: ["bad_json", "bad_request", "limit_exceeded"], echoesId: false)
            }
        }
        guard case .object(let members) = value else {
            throw Refusal(codes: ["bad_json", "bad_request"], echoesId: false)
        }
        return Fields(members: members)
    }

    /// The id that the reply echoes: a string of at most 64 bytes or an integer.
    private func requestId(_ fields: Fields) throws(Refusal) -> JSON? {
        switch fields.members["id"] {
        case nil: return nil
        case .string(let text)? where text.bytes.count <= 64: return .string(text)
        case .number(let text)? where Int64(text) != nil: return .number(text)
        default: throw Refusal(codes: ["bad_request"], field: "id", echoesId: false)
        }
    }

    private func checkPlan(_ command: Command, in workspace: Text) throws(Refusal) {
        guard !rules.invalidPlanTakesSequence, case .putPlan(let plan) = command,
            let number = workspaces.firstIndex(where: { $0.id == workspace })
        else { return }
        do throws(Refusal) {
            _ = try PlanReader(workspace: workspaces[number]).read(plan)
        } catch  where error.code == "plan_invalid" {
            throw error
        } catch {}
    }

    func workspaceNumber(_ id: Text) throws(Refusal) -> Int {
        guard let number = workspaces.firstIndex(where: { $0.id == id }) else {
            throw Refusal("unknown_workspace", "workspace")
        }
        return number
    }

    private mutating func apply(_ command: Command, in workspaceId: Text, detail: Bool) throws(Refusal) -> [Text: JSON]
    {
        if case .putWorkspace(let put) = command { return putWorkspace(workspaceId, put) }
        let workspace = try workspaceNumber(workspaceId)
        switch command {
        case .putWorkspace: return [:]
        case .putCurrency(let put): return try putCurrency(put, in: workspace)
        case .putAccount(let put): return try putAccount(put, in: workspace)
        case .putMember(let put): return try putMember(put, in: workspace)
        case .putPlan(let plan): return try putPlan(plan, in: workspace)
        case .endPlan(let plan, let at): return try endPlan(plan, at: at ?? now, in: workspace)
        case .putBoard(let put): return try putBoard(put, in: workspace)
        case .action(let action): return try act(action, in: workspace, detail: detail)
        case .reverse(let reversal): return try reverse(reversal, in: workspace, detail: detail)
        case .adjust(let transfer): return try adjust(transfer, in: workspace)
        case .redeem(let transfer): return try redeem(transfer, in: workspace)
        }
    }
}
