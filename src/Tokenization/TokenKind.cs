namespace Concertina.Tokenization;

/// <summary>What a token is for. The numbers are those of GGUF's <c>tokenizer.ggml.token_type</c>.</summary>
public enum TokenKind
{
    /// <summary>The file said nothing; treated as <see cref="Normal"/>.</summary>
    Undefined = 0,

    /// <summary>A piece of text that merging can reach.</summary>
    Normal = 1,

    /// <summary>Stands for what the vocabulary cannot express.</summary>
    Unknown = 2,

    /// <summary>Has a meaning for the model and no text: begin, end, role marks.</summary>
    Control = 3,

    /// <summary>A literal text that is taken whole, before any splitting; a mark of the chat only where it is trusted
    /// (<see cref="ITokenizer.Encode"/>).</summary>
    UserDefined = 4,

    /// <summary>A reserved id that no text maps to.</summary>
    Unused = 5,

    /// <summary>A single byte, written as <c>&lt;0xNN&gt;</c>.</summary>
    Byte = 6,
}
