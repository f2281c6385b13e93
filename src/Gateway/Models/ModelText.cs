using System.Globalization;
using Concertina.Gateway.Chat;
using Concertina.Gateway.Generations;
using Concertina.Gateway.Http;
using Concertina.Tokenization;

namespace Concertina.Gateway.Models;

/// <summary>The text side of one model: messages to token ids, token ids to an answer. Immutable; built from the tokenizer bytes alone.</summary>
internal sealed class ModelText
{
    private readonly Tokenizer _tokenizer;
    private readonly ChatTemplate _template;
    private readonly string? _bosText;
    private readonly string? _eosText;
    private readonly int _longestTokenChars;

    private ModelText(TokenizerSpec spec)
    {
        _tokenizer = Tokenizer.Create(spec);
        _template = ChatTemplate.Of(spec);
        _bosText = spec.Bos is { } bos ? spec.Tokens[bos] : null;
        _eosText = spec.Eos is { } eos ? spec.Tokens[eos] : null;
        _longestTokenChars = spec.Tokens.Max(token => token.Length);
    }

    /// <summary>Ids that end an answer.</summary>
    public IReadOnlyList<int> EndTokens => _tokenizer.EosIds;

    /// <summary>True if the model brought no chat template and a common form stands in.</summary>
    public bool TemplateIsFallback => _template.IsFallback;

    /// <summary>Reads what a worker gave.</summary>
    /// <exception cref="TokenizerSpecException">The bytes describe no tokenizer this version knows.</exception>
    /// <exception cref="ChatTemplateException">The model's chat template is broken.</exception>
    public static ModelText Read(byte[] tokenizerBytes) => new(TokenizerSpec.Parse(tokenizerBytes));

    /// <summary>Renders the conversation and tokenizes it. What a message says can never become a control token.</summary>
    /// <param name="command">The conversation.</param>
    /// <param name="contextTokens">Longest sequence of the model; text that cannot fit is refused before the costly part.</param>
    public Outcome<int[]> Render(ChatCommand command, int contextTokens)
    {
        long chars = command.Messages.Sum(message => (long)(message.Content?.Length ?? 0));
        if (chars > (long)contextTokens * _longestTokenChars)
        {
            return ApiErrors.ContextLength(contextTokens, string.Create(CultureInfo.InvariantCulture,
                $"The messages have {chars} characters, which are at least {chars / _longestTokenChars} tokens. Shorten them."));
        }
        try
        {
            RenderedChat chat = _template.Render(new ChatTemplateInput
            {
                Messages = command.Messages,
                AddGenerationPrompt = command.AddGenerationPrompt,
                BosToken = _bosText,
                EosToken = _eosText,
            });
            return _tokenizer.EncodeChat(chat, addSpecial: true);
        }
        catch (ChatTemplateException refusal)
        {
            return ApiErrors.Invalid("messages", $"The model's chat template does not take these messages: {refusal.Message}");
        }
    }

    /// <summary>A decoder of one answer.</summary>
    public AnswerText OpenAnswer(ChatCommand command, IEnumerable<int> stopTokens) => new(
        new IncrementalDecoder(_tokenizer, skipSpecial: true), new StopMatcher(command.Stop, command.IncludeStop), stopTokens);
}
