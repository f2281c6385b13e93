using System.Text.Json;

namespace Concertina.Tokenization;

/// <summary>Everything needed to tokenize for one model, as read out of its file. Immutable.</summary>
public sealed record TokenizerSpec
{
    /// <summary>The only format number this version reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The algorithm: "gpt2" (byte-level BPE) or "llama" (SentencePiece).</summary>
    public required string Model { get; init; }

    /// <summary>The rule that cuts a text into words before merging, such as "qwen2"; empty for SentencePiece.</summary>
    public required string Pre { get; init; }

    /// <summary>Token texts by id. Normal tokens of a "gpt2" vocabulary are written in the byte alphabet of GPT-2.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>What each token is for, by id.</summary>
    public required IReadOnlyList<TokenKind> Types { get; init; }

    /// <summary>Merges "left right", strongest first; empty for SentencePiece.</summary>
    public required IReadOnlyList<string> Merges { get; init; }

    /// <summary>Token scores by id (SentencePiece), or null.</summary>
    public IReadOnlyList<float>? Scores { get; init; }

    /// <summary>Begin of text.</summary>
    public int? Bos { get; init; }

    /// <summary>End of text.</summary>
    public int? Eos { get; init; }

    /// <summary>End of turn.</summary>
    public int? Eot { get; init; }

    /// <summary>Padding.</summary>
    public int? Pad { get; init; }

    /// <summary>Stands for bytes the vocabulary cannot express.</summary>
    public int? Unknown { get; init; }

    /// <summary>Whether the model was trained with a begin id before each text.</summary>
    public bool AddBos { get; init; }

    /// <summary>Whether the model was trained with an end id after each text.</summary>
    public bool AddEos { get; init; }

    /// <summary>Whether a space goes before each text (SentencePiece).</summary>
    public bool AddSpacePrefix { get; init; }

    /// <summary>The Jinja chat template, or null where the model has none.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Reads a description.</summary>
    /// <param name="utf8Json">One JSON object, UTF-8; unknown fields are ignored.</param>
    /// <exception cref="TokenizerSpecException">It is not JSON, or a field is missing or contradicts another.</exception>
    public static TokenizerSpec Parse(ReadOnlyMemory<byte> utf8Json)
    {
        TokenizerSpecDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(utf8Json.Span, TokenizerSpecJson.Default.TokenizerSpecDocument);
        }
        catch (JsonException e)
        {
            throw new TokenizerSpecException(
                "document",
                $"{utf8Json.Length:N0} bytes are not a valid description ({e.Message}). Write it again from the model file.",
                e);
        }

        TokenizerSpec spec = (document ?? throw new TokenizerSpecException("document", "it is null; expected an object."))
            .ToSpec();
        TokenizerSpecValidation.Check(spec);
        return spec;
    }
}
