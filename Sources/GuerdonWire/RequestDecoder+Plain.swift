import CSimdjson
import GuerdonCore

extension RequestDecoder {
    /// Appends a plain action; false when something about it is wrong and must be looked at slowly.
    @inline(__always)
    func appendAction(_ line: PlainLine, _ actions: inout ActionEncoder, _ requests: Requests) -> Bool {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        guard let workspace = line.ownWorkspace, let externalId = line.id(CSJ_EXTERNAL_ID),
            let performer = line.id(CSJ_PERFORMER), let type = line.id(CSJ_TYPE)
        else { return false }
        var value: DecimalNumber?
        var currency = none
        if line.has(CSJ_VALUE_FIELD) {
            guard let number = DecimalText.parse(line[CSJ_VALUE_FIELD]) else { return false }
            value = number
            if line.has(CSJ_CURRENCY) {
                guard let code = line.id(CSJ_CURRENCY) else { return false }
                currency = code
            }
        } else if line.has(CSJ_CURRENCY) {
            return false
        }
        var at: Int64?
        if line.has(CSJ_AT) {
            guard let time = times.time(line[CSJ_AT]) else { return false }
            at = time
        }
        var title: UnsafeRawBufferPointer?
        if line.has(CSJ_TITLE) {
            let text = line[CSJ_TITLE]
            guard text.count <= Limits.textBytes else { return false }
            title = text
        }
        var attributes = none
        if line.has(CSJ_ATTRIBUTES) {
            guard gatherAttributes(line, keepsNull: false) else { return false }
            // Without entries it is as if there were none.
            if self.attributes.count > 1 { attributes = self.attributes.bytes }
        }
        let idStart = requests.ids.count
        guard line.writeID(into: requests.ids) else { return false }
        actions.encode(
            workspace: workspace, type: type, currency: currency, externalId: externalId, performer: performer,
            value: value, at: at, title: title, attributes: attributes, into: requests.commands.body)
        requests.appendRow(line, kind: .command, idStart: idStart)
        return true
    }

    /// Appends a plain `member.put`; false when something about it is wrong and must be looked at slowly.
    func appendMember(_ line: PlainLine, _ requests: Requests) -> Bool {
        guard let workspace = line.ownWorkspace, let member = line.id(CSJ_MEMBER) else { return false }
        for field in [CSJ_REFERRER, CSJ_CODE, CSJ_REFERRAL_CODE] where line.has(field) && line.id(field) == nil {
            return false
        }
        for field in [CSJ_NAME, CSJ_EMAIL, CSJ_PHONE, CSJ_KIND]
        where line.has(field) && line[field].count > Limits.textBytes {
            return false
        }
        if line.has(CSJ_BIRTHDAY), TimeText.date(line[CSJ_BIRTHDAY]) == nil { return false }
        if line.has(CSJ_REGISTERED), TimeText.date(line[CSJ_REGISTERED]) == nil,
            TimeText.time(line[CSJ_REGISTERED]) == nil
        {
            return false
        }
        var attributes = UnsafeRawBufferPointer(start: nil, count: 0)
        if line.has(CSJ_ATTRIBUTES) {
            guard gatherAttributes(line, keepsNull: true) else { return false }
            attributes = self.attributes.bytes
        }
        let idStart = requests.ids.count
        guard line.writeID(into: requests.ids) else { return false }
        CommandCoding.encodeMemberPut(
            workspace: workspace, member: member, attributes: attributes, into: requests.commands.body
        ) { field in
            let number =
                switch field {
                case .name: CSJ_NAME
                case .email: CSJ_EMAIL
                case .phone: CSJ_PHONE
                case .birthday: CSJ_BIRTHDAY
                case .registered: CSJ_REGISTERED
                case .kind: CSJ_KIND
                case .referrer: CSJ_REFERRER
                case .code: CSJ_CODE
                case .referralCode: CSJ_REFERRAL_CODE
                }
            return line.has(number) ? line[number] : nil
        }
        requests.appendRow(line, kind: .command, idStart: idStart)
        return true
    }

    /// Encodes the attributes of a plain line; false when something about them is wrong.
    @inline(never)
    private func gatherAttributes(_ line: PlainLine, keepsNull: Bool) -> Bool {
        guard line[CSJ_ATTRIBUTES].count <= Limits.attributesBytes else { return false }
        attributes.removeAll()
        guard let tokens = csj_tokens(reader) else { return false }
        let plain = PlainAttributes(bytes: line.bytes, tokens: tokens, out: attributes)
        return plain.object(0, topNulls: keepsNull ? .kept : .dropped)
    }
}
