/// Every bound of the engine, in one place.
public enum Limits {
    /// Bytes of an id (member, currency, plan, external id, …).
    public static let idBytes = 1...128
    /// Bytes of free text: names, titles, reasons, descriptions.
    public static let textBytes = 1024
    /// Bytes of one CEL expression.
    public static let expressionBytes = 4096
    /// Encoded bytes of one attributes map.
    public static let attributesBytes = 16 * 1024
    /// Nesting of JSON on the wire, and so of attribute values.
    public static let nesting = 16
    /// Decimals of a currency.
    public static let currencyScale = 0...6
    /// Decimals of any number on the wire.
    public static let decimalScale = 18
    /// Levels of an upline that a plan may pay.
    public static let levels = 100
    /// Bonuses of a plan, rewards of a bonus.
    public static let bonuses = 256
    /// Plans (and, apart from them, boards and currencies) of a workspace.
    public static let namedThings = 4096
    /// Workspaces of a data directory.
    public static let workspaces = 10_000
    /// Rows a reading request may ask for.
    public static let pageRows = 1...1000
    /// Steps one condition may take before it fails.
    public static let conditionCost = 10_000
    /// Times that can be told: 1678-01-01 up to 2262-01-01 exclusive, in nanoseconds since 1970.
    public static let times = -9_214_560_000_000_000_000..<9_214_646_400_000_000_000
}
