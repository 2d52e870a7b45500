/// What is known of a member beyond id, referrer and wallets. Most members of a large workspace have none.
struct Profile: Sendable, Hashable {
    var name: Text?
    var email: Text?
    var phone: Text?
    var birthday: Text?
    var registered: Text?
    var kind: Text?
    /// In order of bytes, no doubles.
    var tags: [Text] = []
    /// In order of the keys' bytes.
    var attributes: [AttributeEntry] = []
    /// The member's own referral code, when it was set by hand.
    var code: Text?

    /// Adds a tag; `false` when it was there.
    mutating func addTag(_ tag: Text) -> Bool {
        let place = tags.firstIndex { !($0 < tag) } ?? tags.count
        if place < tags.count, tags[place] == tag { return false }
        tags.insert(tag, at: place)
        return true
    }
}
