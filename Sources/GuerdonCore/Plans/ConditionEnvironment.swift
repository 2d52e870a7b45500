import CEL

/// What conditions can name, in the order of the slots that CEL gives them.
enum ConditionSlot: Int, CaseIterable {
    case actionType, actionValue, actionCurrency, actionAt, actionTitle, actionExternalId, actionAttributes
    case memberId, memberKind, memberTags, memberRank, memberAttributes, memberRegistered, memberBirthday, memberName
    case recipientId, recipientKind, recipientTags, recipientRank, recipientAttributes, recipientRegistered
    case recipientBirthday, recipientName
    case level

    /// The declarations behind the slots.
    static let environment: CELEnvironment = {
        let person: [CELField] = [
            CELField("id", .string), CELField("kind", .nullable(.string)), CELField("tags", .list(.string)),
            CELField("rank", .dyn), CELField("attributes", .map(key: .string, value: .dyn)),
            CELField("registered", .nullable(.timestamp)), CELField("birthday", .nullable(.string)),
            CELField("name", .nullable(.string)),
        ]
        var environment = CELEnvironment()
        environment.declare(
            "action",
            .object(
                "Action",
                fields: [
                    CELField("type", .string), CELField("value", .nullable(.decimal)),
                    CELField("currency", .nullable(.string)), CELField("at", .timestamp),
                    CELField("title", .nullable(.string)), CELField("externalId", .string),
                    CELField("attributes", .map(key: .string, value: .dyn)),
                ]))
        environment.declare("member", .object("Member", fields: person))
        environment.declare("recipient", .object("Member", fields: person))
        environment.declare("level", .int)
        precondition(environment.slotCount == allCases.count, "slots and declarations differ")
        return environment
    }()

    /// The member's field that a recipient's slot is about; other slots unchanged.
    var ofMember: ConditionSlot {
        guard rawValue >= ConditionSlot.recipientId.rawValue, self != .level,
            let slot = ConditionSlot(
                rawValue: rawValue - ConditionSlot.recipientId.rawValue + ConditionSlot.memberId.rawValue)
        else { return self }
        return slot
    }
}

/// One evaluation: the action, its performer, and whoever would be paid.
struct ConditionContext: CELActivation {
    var row: ActionRow
    var shape: ActionShape
    var valueScale: Int
    var workspace: Workspace
    var recipient: UInt32
    var level: Int

    func value(ofSlot number: Int) -> CELValue {
        guard let slot = ConditionSlot(rawValue: number) else { return .null }
        switch slot {
        case .actionType: return .string(shape.type.string)
        case .actionValue:
            return row.hasValue
                ? .decimal(CELDecimal(coefficient: Int128(row.units), scale: UInt8(valueScale))) : .null
        case .actionCurrency: return shape.currency.isEmpty ? .null : .string(shape.currency.string)
        case .actionAt: return .timestamp(CELTimestamp(nanosecondsSinceEpoch: row.at))
        case .actionTitle:
            return row.title.baseAddress == nil ? .null : .string(String(decoding: row.title, as: UTF8.self))
        case .actionExternalId: return .string(String(decoding: row.externalId, as: UTF8.self))
        case .actionAttributes:
            var source = ByteSource(row.attributes)
            let entries = row.attributes.isEmpty ? [] : (try? CommandCoding.attributes(&source, depth: 0)) ?? []
            return .map(celMap(entries))
        case .level: return .int(Int64(level))
        default:
            let isRecipient = number >= ConditionSlot.recipientId.rawValue
            return person(isRecipient ? recipient : row.member, slot.ofMember)
        }
    }

    private func person(_ member: UInt32, _ slot: ConditionSlot) -> CELValue {
        if slot == .memberId {
            // A performer who is created by this action is not among the members yet.
            let id = member == row.member ? row.performer : workspace.members.id(member)
            return .string(String(decoding: id, as: UTF8.self))
        }
        let profile = workspace.profile(of: member)
        func text(_ value: Text?) -> CELValue { value.map { .string($0.string) } ?? .null }
        switch slot {
        case .memberKind: return text(profile?.kind)
        case .memberName: return text(profile?.name)
        case .memberBirthday: return text(profile?.birthday)
        case .memberTags: return .list((profile?.tags ?? []).map { .string($0.string) })
        case .memberAttributes: return .map(celMap(profile?.attributes ?? []))
        case .memberRegistered:
            guard let registered = profile?.registered else { return .null }
            // A date is its midnight in UTC.
            let full = registered.count == 10 ? registered.string + "T00:00:00Z" : registered.string
            return CELTimestamp(full).map { .timestamp($0) } ?? .null
        default: return .null
        }
    }
}

private func celMap(_ entries: [AttributeEntry]) -> CELMap {
    CELMap(strings: entries.map { (key: $0.key.string, value: celValue($0.value)) })
}

private func celValue(_ value: AttributeValue) -> CELValue {
    switch value {
    case .null: .null
    case .bool(let b): .bool(b)
    case .int(let i): .int(i)
    case .decimal(let d): .decimal(CELDecimal(coefficient: Int128(d.coefficient), scale: d.scale))
    case .string(let s): .string(s.string)
    case .list(let items): .list(items.map(celValue))
    case .map(let entries): .map(celMap(entries))
    }
}
