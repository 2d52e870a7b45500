/// Names behind the numbers of reward lines, for whoever writes replies.
public protocol NameSource {
    /// A member's id; the bytes stay valid while the state does not change.
    func memberID(workspace: Int, member: UInt32) -> UnsafeRawBufferPointer
    /// A currency's code.
    func currencyCode(workspace: Int, currency: Int) -> Text
    /// A currency's decimals.
    func currencyScale(workspace: Int, currency: Int) -> Int
    /// A plan's id, by the index of one of its versions.
    func planID(workspace: Int, plan: UInt32) -> Text
    /// A bonus's id.
    func bonusID(workspace: Int, plan: UInt32, bonus: Int) -> Text
}
