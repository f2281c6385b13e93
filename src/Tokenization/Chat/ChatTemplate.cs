using System.Text.Json;
using Concertina.Tokenization.Jinja;
using Concertina.Tokenization.Jinja.Library;
using Concertina.Tokenization.Jinja.Syntax;
using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization;

/// <summary>Turns a conversation into the text a model was trained on. Templates are Jinja, with the white space rules and
/// functions of Hugging Face's <c>apply_chat_template</c>. Immutable and safe to use from many threads at once.</summary>
public sealed class ChatTemplate
{
    private const string ChatMlSource =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    // A role stands inside control names ("<|" + role + "|>"). These are the roles of published templates; any other is
    // text of the conversation and cannot become part of a control token.
    private static readonly HashSet<string> KnownRoles = new(StringComparer.Ordinal)
    {
        "system", "developer", "user", "assistant", "tool", "function", "model", "ipython", "observation", "environment",
    };

    private readonly List<Statement> _statements;
    private readonly ChatTemplateOptions _options;
    private readonly TimeProvider _clock;

    private ChatTemplate(List<Statement> statements, ChatTemplateOptions options, TimeProvider clock)
    {
        _statements = statements;
        _options = options;
        _clock = clock;
    }

    /// <summary>The ChatML form, for models without a template.</summary>
    public static ChatTemplate ChatMl { get; } = Compile(ChatMlSource, isFallback: true);

    /// <summary>True if the model brought no template and <see cref="ChatMl"/> stands in: the model may not know its marks,
    /// so say so to whoever runs it.</summary>
    public bool IsFallback { get; private init; }

    /// <summary>The template of a model, or <see cref="ChatMl"/> if it has none.</summary>
    /// <exception cref="ChatTemplateException">The template is broken or uses what is not supported.</exception>
    public static ChatTemplate Of(TokenizerSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return string.IsNullOrWhiteSpace(spec.ChatTemplate) ? ChatMl : Compile(spec.ChatTemplate);
    }

    /// <summary>Compiles a template.</summary>
    /// <param name="template">Jinja source.</param>
    /// <param name="options">Bounds; null takes the defaults.</param>
    /// <param name="clock">What <c>strftime_now</c> reads; null takes the system's clock.</param>
    /// <exception cref="ChatTemplateException">The template is broken or uses what is not supported.</exception>
    public static ChatTemplate Compile(string template, ChatTemplateOptions? options = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(template);
        ChatTemplateOptions bounds = options ?? new ChatTemplateOptions();
        return new ChatTemplate(StatementParser.Parse(template, bounds.MaxDepth), bounds, clock ?? TimeProvider.System);
    }

    /// <summary>Renders a conversation.</summary>
    /// <exception cref="ChatTemplateException">The template refuses the conversation
    /// (<see cref="ChatTemplateException.RaisedByTemplate"/>), fails on it, or passes its bounds.</exception>
    public RenderedChat Render(ChatTemplateInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Rendering rendering = new(_options, _clock);
        TemplateTextBuilder output = new();
        try
        {
            new Executor(rendering).Run(_statements, new Scope(GlobalsOf(input)), output);
        }
        catch (InsufficientExecutionStackException e)
        {
            throw rendering.Place.Error("a list or mapping is nested too deeply to be written or compared.", e);
        }
        catch (FormatException e)
        {
            throw rendering.Place.Error(e.Message + ".", e);
        }
        catch (Exception e) when (e is not (ChatTemplateException or OperationCanceledException or OutOfMemoryException))
        {
            throw rendering.Place.Error($"failed on these messages ({e.GetType().Name}: {e.Message}).", e);
        }

        return output.ToChat();
    }

    private static Scope GlobalsOf(ChatTemplateInput input)
    {
        Scope globals = new(null);
        foreach ((string name, JsonElement value) in input.Variables)
        {
            globals.Set(name, JsonText.FromJson(value));
        }

        // After the caller's variables, which must not replace these.
        Globals.AddTo(globals);
        globals.Set("messages", new JinjaList([.. input.Messages.Select(MessageOf)]));
        globals.Set("add_generation_prompt", input.AddGenerationPrompt);
        globals.Set("bos_token", TemplateText.OfTemplate(input.BosToken ?? ""));
        globals.Set("eos_token", TemplateText.OfTemplate(input.EosToken ?? ""));
        globals.Set("tools", input.Tools is { } tools ? JsonText.FromJson(tools) : null);
        return globals;
    }

    private static ChatTemplate Compile(string template, bool isFallback)
    {
        ChatTemplateOptions bounds = new();
        return new ChatTemplate(StatementParser.Parse(template, bounds.MaxDepth), bounds, TimeProvider.System) { IsFallback = isFallback };
    }

    private static JinjaMap MessageOf(ChatMessage message)
    {
        JinjaMap map = new();
        map.Set(
            TemplateText.OfTemplate("role"),
            KnownRoles.Contains(message.Role) ? TemplateText.OfTemplate(message.Role) : TemplateText.OfData(message.Role));
        map.Set(TemplateText.OfTemplate("content"), message.Content is null ? null : TemplateText.OfData(message.Content));
        foreach ((string name, JsonElement value) in message.Fields)
        {
            map.Set(TemplateText.OfData(name), JsonText.FromJson(value));
        }

        return map;
    }
}
