extension Model {
    mutating func putMember(_ put: PutMember, in workspace: Int) throws(Refusal) -> [Text: JSON] {
        let state = workspaces[workspace]
        let known = state.memberNumber(put.id)
        let referrer = try inviter(of: known, put, state)
        if case .set(let code) = put.code { try checkHandCode(code, of: known, in: state) }

        let number = known ?? workspaces[workspace].createMember(put.id)
        var member = workspaces[workspace].members[number]
        put.name.apply(to: &member.name)
        put.email.apply(to: &member.email)
        put.phone.apply(to: &member.phone)
        put.birthday.apply(to: &member.birthday)
        put.registered.apply(to: &member.registered)
        put.kind.apply(to: &member.kind)
        put.code.apply(to: &member.handCode)
        switch put.tags {
        case .absent: break
        case .cleared: member.tags = []
        case .set(let tags): member.tags = tags
        }
        switch put.attributes {
        case .absent: break
        case .cleared: member.attributes = [:]
        case .set(let values): for (key, value) in values { member.attributes[key] = value }
        }
        if let referrer { member.referrer = referrer }
        workspaces[workspace].members[number] = member
        return ["created": .bool(known == nil), "referralCode": .optional(member.code)]
    }

    /// The number of the member whom the request names as the inviter, `nil` when nothing changes.
    private func inviter(of known: Int?, _ put: PutMember, _ state: Workspace) throws(Refusal) -> Int? {
        let present = known.flatMap { state.members[$0].referrer }
        if case .cleared = put.referrer, present != nil { throw Refusal("already_referred", "referrer") }
        if case .cleared = put.inviterCode, present != nil { throw Refusal("already_referred", openField: ()) }

        var field = "referrer"
        var named: Int?
        if let id = put.referrer.value {
            // A new member who names himself is not known yet, but it is himself that he names.
            if id == put.id { throw Refusal("self_referral", field) }
            guard let number = state.memberNumber(id) else { throw Refusal("unknown_member", field) }
            named = number
        }
        if let code = put.inviterCode.value {
            guard let number = state.member(withCode: code) else { throw Refusal("unknown_member", "referralCode") }
            if let named, named != number { throw Refusal("bad_request", openField: ()) }
            if named == nil { field = "referralCode" }
            named = number
        }
        guard let named else { return nil }
        if named == known { throw Refusal("self_referral", field) }
        if let present {
            if present == named { return nil }
            throw Refusal("already_referred", field)
        }
        if let known, state.upline(of: named).contains(known) { throw Refusal("cycle", field) }
        return named
    }

    private func checkHandCode(_ code: Text, of known: Int?, in state: Workspace) throws(Refusal) {
        let own = known.map { state.members[$0] }
        // Of a new member: the code that the template is about to give him.
        let next = state.template.map { CodeTemplate($0).code(state.members.count + 1) }
        let made = own == nil ? next : own?.templateCode
        if code == own?.handCode || code == made { return }
        let isTaken = state.members.contains { $0.handCode == code || $0.templateCode == code }
        let couldBeMade = state.templates.contains { CodeTemplate($0).canMake(code) }
        if isTaken || couldBeMade { throw Refusal("conflict", "code") }
    }
}

extension Workspace {
    /// The member whom a code names: codes by hand go before codes of a template, the earlier member before the
    /// later.
    func member(withCode code: Text) -> Int? {
        members.firstIndex { $0.handCode == code } ?? members.firstIndex { $0.templateCode == code }
    }

    /// The members above, the nearest first.
    func upline(of member: Int) -> [Int] {
        var result: [Int] = []
        var next = members[member].referrer
        while let above = next {
            result.append(above)
            next = members[above].referrer
        }
        return result
    }
}
