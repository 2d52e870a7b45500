/// The fields of each operation. Those that every request may have come first.
enum KnownFields {
    static let common: [StaticString] = ["op", "id", "workspace"]

    static let planPut: [StaticString] = common + ["plan"]
    static let planEnd: [StaticString] = common + ["plan", "at"]
    static let action: [StaticString] =
        common + ["externalId", "performer", "type", "value", "currency", "at", "title", "attributes"]
    static let reverse: [StaticString] = common + ["externalId", "of", "value", "at"]
    static let wallet: [StaticString] = common + ["externalId", "member", "currency", "amount", "reason", "at"]
    static let memberPut: [StaticString] =
        common + [
            "member", "name", "email", "phone", "birthday", "registered", "kind", "tags", "attributes", "referrer",
            "referralCode", "code",
        ]
    static let workspacePut: [StaticString] = common + ["timeZone", "weekStart", "referralCode", "autoCreateMembers"]
    static let currencyPut: [StaticString] = common + ["currency", "kind", "scale", "rounding", "color", "lifetime"]
    static let accountPut: [StaticString] = common + ["account", "legalEntity", "currency", "budget"]
    static let boardPut: [StaticString] = common + ["board", "score", "period", "ties"]
    static let member: [StaticString] = common + ["member"]
    static let walletRead: [StaticString] = common + ["member", "lots"]
    static let upline: [StaticString] = common + ["member", "levels"]
    static let downline: [StaticString] = common + ["member", "levels", "limit"]
    static let boardTop: [StaticString] = common + ["board", "limit", "period"]
    static let boardRank: [StaticString] = common + ["board", "member", "around", "period"]
    static let explain: [StaticString] = common + ["externalId"]
    static let statement: [StaticString] = common + ["member", "currency", "limit", "before"]
    static let hello: [StaticString] = common + ["token", "ack"]
    static let unsubscribe: [StaticString] = common + ["subscription"]
    static let subscribe: [StaticString] = common + ["stream", "board", "top", "period", "member"]
}
