using System.Buffers;
using System.Text;
using Concertina.Tokenization.Bpe;

namespace Concertina.Tokenization;

/// <summary>The tokenizer of one model. Immutable and safe to use from many threads at once.</summary>
public sealed class Tokenizer : ITokenizer
{
    private readonly TokenKind[] _kinds;
    private readonly TokenTexts _texts;
    private readonly SpecialTokens _specials;
    private readonly IFragmentEncoder _encoder;
    private readonly int? _bos;
    private readonly int? _eos;

    private Tokenizer(TokenizerSpec spec, IFragmentEncoder encoder)
    {
        _kinds = [.. spec.Types];
        _texts = new TokenTexts(spec);
        _specials = new SpecialTokens(spec);
        _encoder = encoder;
        BosId = spec.Bos;
        _bos = spec.AddBos ? spec.Bos : null;
        _eos = spec.AddEos ? spec.Eos : null;
        EosIds = [.. new[] { spec.Eos, spec.Eot }.OfType<int>().Distinct().Order()];
    }

    /// <inheritdoc/>
    public int VocabularySize => _kinds.Length;

    /// <inheritdoc/>
    public int? BosId { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> EosIds { get; }

    /// <summary>Builds a tokenizer.</summary>
    /// <exception cref="TokenizerSpecException">The description names an algorithm or rule that is not known, its tables
    /// contradict each other, or bytes that text needs have no token and no unknown token stands for them.</exception>
    public static Tokenizer Create(TokenizerSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        TokenizerSpecValidation.Check(spec);
        TokenizerSpec resolved = TokenRoles.Resolve(spec);
        return spec.Model switch
        {
            "gpt2" => new Tokenizer(resolved, new BpeEncoder(resolved, SubstituteOf(resolved))),
            _ => throw new TokenizerSpecException("model", $"'{spec.Model}' is not supported; supported is gpt2 (byte-level BPE)."),
        };
    }

    /// <inheritdoc/>
    public bool IsControl(int id) => _kinds[Checked(id)] == TokenKind.Control;

    /// <inheritdoc/>
    public ReadOnlySpan<byte> TokenBytes(int id) => _texts.Of(Checked(id));

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<char> text, bool addSpecial, bool parseSpecial, IBufferWriter<int> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        TokenSink sink = new(output);
        if (addSpecial && _bos is { } bos)
        {
            sink.Add(bos);
        }

        EncodeParts(text, parseSpecial ? ControlTrust.Everywhere : ControlTrust.Nowhere, ref sink);
        if (addSpecial && _eos is { } eos)
        {
            sink.Add(eos);
        }
    }

    /// <inheritdoc/>
    public void EncodeChat(RenderedChat chat, bool addSpecial, IBufferWriter<int> output)
    {
        ArgumentNullException.ThrowIfNull(chat);
        ArgumentNullException.ThrowIfNull(output);
        ControlTrust trust = ControlTrust.TemplateOf(chat);
        TokenSink sink = new(output);
        bool written = _specials.TryFindNext(chat.Text, 0, trust, out SpecialMatch first) && first.Start == 0 && first.Id == _bos;
        if (addSpecial && !written && _bos is { } bos)
        {
            sink.Add(bos);
        }

        EncodeParts(chat.Text, trust, ref sink);
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial)
    {
        ArrayBufferWriter<byte> bytes = new(Math.Max(16, ids.Length * 4));
        foreach (int id in ids)
        {
            if (!(skipSpecial && IsControl(id)))
            {
                bytes.Write(TokenBytes(id));
            }
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private void EncodeParts(ReadOnlySpan<char> text, ControlTrust trust, ref TokenSink sink)
    {
        int done = 0;
        FragmentPlace place = FragmentPlace.Start;
        while (_specials.TryFindNext(text, done, trust, out SpecialMatch match))
        {
            EncodeFragment(text[done..match.Start], place, ref sink);
            sink.Add(match.Id);
            done = match.Start + match.Length;
            place = FragmentPlace.AfterSpecial;
        }

        EncodeFragment(text[done..], place, ref sink);
    }

    private void EncodeFragment(ReadOnlySpan<char> text, FragmentPlace place, ref TokenSink sink)
    {
        if (!text.IsEmpty)
        {
            _encoder.Encode(text, place, ref sink);
        }
    }

    private int Checked(int id) => (uint)id < (uint)_kinds.Length
        ? id
        : throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary has ids 0 to {_kinds.Length - 1}.");

    // A control token must not come out of a text, so a control "unknown" cannot stand for what has no token.
    private static int? SubstituteOf(TokenizerSpec spec) =>
        spec.Unknown is { } id && spec.Types[id] != TokenKind.Control ? id : null;
}
