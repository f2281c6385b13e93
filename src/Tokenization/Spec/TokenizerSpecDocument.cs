using System.Text.Json.Serialization;

namespace Concertina.Tokenization;

/// <summary>The JSON shape of a <see cref="TokenizerSpec"/>.</summary>
internal sealed class TokenizerSpecDocument
{
    public int? Format { get; set; }

    public string? Model { get; set; }

    public string? Pre { get; set; }

    public string?[]? Tokens { get; set; }

    public int[]? Types { get; set; }

    public string?[]? Merges { get; set; }

    public float[]? Scores { get; set; }

    public int? Bos { get; set; }

    public int? Eos { get; set; }

    public int? Eot { get; set; }

    public int? Pad { get; set; }

    public int? Unknown { get; set; }

    public bool AddBos { get; set; }

    public bool AddEos { get; set; }

    public bool AddSpacePrefix { get; set; }

    public string? ChatTemplate { get; set; }

    public TokenizerSpec ToSpec()
    {
        int format = Format ?? throw new TokenizerSpecException("format", "it is missing.");
        if (format != TokenizerSpec.CurrentFormat)
        {
            throw new TokenizerSpecException(
                "format",
                $"it is {format} but this version reads {TokenizerSpec.CurrentFormat}. Use workers and gateways of one version.");
        }

        return new TokenizerSpec
        {
            Model = Model ?? throw new TokenizerSpecException("model", "it is missing."),
            Pre = Pre ?? "",
            Tokens = Texts(Tokens ?? throw new TokenizerSpecException("tokens", "it is missing."), "tokens"),
            Types = Array.ConvertAll(
                Types ?? throw new TokenizerSpecException("types", "it is missing."), type => (TokenKind)type),
            Merges = Texts(Merges ?? [], "merges"),
            Scores = Scores,
            Bos = Bos,
            Eos = Eos,
            Eot = Eot,
            Pad = Pad,
            Unknown = Unknown,
            AddBos = AddBos,
            AddEos = AddEos,
            AddSpacePrefix = AddSpacePrefix,
            ChatTemplate = ChatTemplate,
        };
    }

    private static string[] Texts(string?[] values, string field)
    {
        int index = Array.IndexOf(values, null);
        return index < 0 ? (string[])values! : throw new TokenizerSpecException(field, $"entry {index} is null.");
    }
}

/// <summary>Reads the description without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TokenizerSpecDocument))]
internal sealed partial class TokenizerSpecJson : JsonSerializerContext;
