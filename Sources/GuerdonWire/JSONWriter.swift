public import GuerdonCore

/// Writes JSON text into a sink: commas by itself, strings escaped, numbers exact.
public struct JSONWriter {
    /// Where the text goes.
    public let out: ByteSink
    private var needsComma = false

    /// A writer at the end of a sink.
    public init(_ out: ByteSink) { self.out = out }

    // MARK: Structure

    @inline(__always) private mutating func separate() {
        if needsComma { out.write(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// Opens an object, as a value of a list or behind a key.
    @inline(__always) public mutating func beginObject() {
        separate()
        out.write(UInt8(ascii: "{"))
        needsComma = false
    }
    /// Closes the object.
    @inline(__always) public mutating func endObject() {
        out.write(UInt8(ascii: "}"))
        needsComma = true
    }
    /// Opens a list.
    @inline(__always) public mutating func beginList() {
        separate()
        out.write(UInt8(ascii: "["))
        needsComma = false
    }
    /// Closes the list.
    @inline(__always) public mutating func endList() {
        out.write(UInt8(ascii: "]"))
        needsComma = true
    }
    /// Writes a key that needs no escaping; a value must follow.
    @inline(__always) public mutating func key(_ key: StaticString) {
        separate()
        out.write(UInt8(ascii: "\""))
        out.ascii(key)
        out.ascii("\":")
        needsComma = false
    }
    /// Writes a key; a value must follow.
    public mutating func key(text key: Text) {
        string(key)
        out.write(UInt8(ascii: ":"))
        needsComma = false
    }
    /// Ends the line; the next value begins a new one.
    @inline(__always) public mutating func endLine() {
        out.write(UInt8(ascii: "\n"))
        needsComma = false
    }

    // MARK: Values

    /// `null`.
    public mutating func null() {
        separate()
        out.ascii("null")
    }
    /// `true` or `false`.
    public mutating func bool(_ value: Bool) {
        separate()
        if value { out.ascii("true") } else { out.ascii("false") }
    }
    /// A whole number.
    @inline(__always) public mutating func number(_ value: Int64) {
        separate()
        Digits.write(value, into: out)
    }
    /// A whole number.
    @inline(__always) public mutating func number(_ value: UInt64) {
        separate()
        Digits.write(value, into: out)
    }
    /// JSON text as it is.
    @inline(__always) public mutating func raw(_ json: UnsafeRawBufferPointer) {
        separate()
        out.write(json)
    }
    /// A string from UTF-8.
    public mutating func string(_ bytes: UnsafeRawBufferPointer) {
        separate()
        out.quoted(bytes)
    }
    /// A string.
    public mutating func string(_ text: Text) { text.bytes.withUnsafeBytes { string($0) } }
    /// A string, or `null`.
    public mutating func string(_ text: Text?) {
        if let text { string(text) } else { null() }
    }
    /// A string.
    public mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }
    /// A string that needs no escaping.
    @inline(__always) public mutating func word(_ literal: StaticString) {
        separate()
        out.write(UInt8(ascii: "\""))
        out.ascii(literal)
        out.write(UInt8(ascii: "\""))
    }

    // MARK: Amounts and times

    /// An amount in minor units as a string with exactly `scale` decimals.
    public mutating func amount(_ units: Int64, scale: Int) {
        separate()
        out.write(UInt8(ascii: "\""))
        Digits.write(units, scale: scale, into: out)
        out.write(UInt8(ascii: "\""))
    }
    /// A decimal as a string, with its decimals as they were written.
    public mutating func decimal(_ value: DecimalNumber) { amount(value.coefficient, scale: Int(value.scale)) }

    /// An RFC 3339 time in UTC, or at an offset, with as few decimals as show all of it.
    ///
    /// - Parameters:
    ///   - time: nanoseconds since 1970.
    ///   - offset: seconds east of UTC; `nil` writes `Z`.
    public mutating func time(_ time: Int64, offset: Int32? = nil) {
        separate()
        out.write(UInt8(ascii: "\""))
        TimeText.write(time, offset: offset, into: out)
        out.write(UInt8(ascii: "\""))
    }
    /// A time, or `null`.
    public mutating func time(_ time: Int64?) {
        if let time { self.time(time, offset: nil) } else { null() }
    }
}
